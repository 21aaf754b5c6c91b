// The words of the desk, in English and Welsh: what the browser asks for first of the two.

const WELSH = {
  "Phones": "Ffonau",
  "Skip to the phones": "Neidio i’r ffonau",
  "A desk with everybody’s phone on it. Nothing leaves this machine.": "Desg gyda ffôn pawb arni. Nid oes dim yn gadael y peiriant hwn.",
  "Connecting": "Yn cysylltu",
  "Change between light and dark": "Newid rhwng golau a thywyll",
  "Console": "Consol",
  "People": "Pobl",
  "Post": "Post",
  "Parts of the desk": "Rhannau o’r ddesg",
  "Chat": "Sgwrs",
  "Texts": "Negeseuon",
  "Letter": "Llythyr",
  "Picture": "Llun",
  "Close the picture": "Cau’r llun",
  "{title} · Phones": "{title} · Ffonau",
  "Live": "Yn fyw",
  "Reconnecting": "Yn ailgysylltu",
  "The sandbox does not answer. Is the demo still running?": "Nid yw’r blwch tywod yn ateb. A yw’r arddangosiad yn rhedeg o hyd?",
  "The sandbox said no ({status}).": "Dywedodd y blwch tywod na ({status}).",
  "Chats": "Sgyrsiau",
  "Messages": "Negeseuon",
  "Unblock": "Dadflocio",
  "Start": "Dechrau",
  "group": "grŵp",
  "blocked": "wedi’i flocio",
  "More": "Mwy",
  "Share my number": "Rhannu fy rhif",
  "Unblock the bot": "Dadflocio’r bot",
  "Block the bot": "Blocio’r bot",
  "No messages here yet.": "Dim negeseuon yma eto.",
  "No messages here yet. Press Start to meet the bot.": "Dim negeseuon yma eto. Pwyswch Dechrau i gwrdd â’r bot.",
  "You": "Chi",
  "Open the picture": "Agor y llun",
  "Open the picture, which has no caption": "Agor y llun, nad oes pennawd iddo",
  "Document": "Dogfen",
  "Message": "Neges",
  "Send": "Anfon",
  "Commands": "Gorchmynion",
  "Keyboard of the bot": "Bysellfwrdd y bot",
  "Read the letter of": "Darllen llythyr",
  "Read": "Darllen",
  "Post for {name}": "Post i {name}",
  "Press a code to type it into {name}’s chat.": "Pwyswch god i’w deipio yn sgwrs {name}.",
  "nobody’s letter": "llythyr neb",
  "{name}’s letter": "llythyr {name}",
  "Choose somebody to see their post.": "Dewiswch rywun i weld eu post.",
  "Staff get no pack at this desk.": "Nid yw staff yn cael pecyn wrth y ddesg hon.",
  "Strangers get no pack. Pick a member’s letter above and try its codes from this phone.": "Nid yw dieithriaid yn cael pecyn. Dewiswch lythyr aelod uchod a rhowch gynnig ar ei godau o’r ffôn hwn.",
  "The pack has not arrived. When it is dispatched, it will lie here.": "Nid yw’r pecyn wedi cyrraedd. Pan gaiff ei anfon, bydd yma.",
  "Mini App": "Ap bach",
  "Close the Mini App": "Cau’r ap bach",
  "Staff": "Staff",
  "Strangers": "Dieithriaid",
  "Members": "Aelodau",
  "All": "Pawb",
  "Unread": "Heb eu darllen",
  "Name, number or phone": "Enw, rhif neu ffôn",
  "Search people": "Chwilio am bobl",
  "Show": "Dangos",
  "Stranger’s name": "Enw",
  "Name of the stranger": "Enw’r dieithryn",
  "Add a stranger": "Ychwanegu dieithryn",
  "Add": "Ychwanegu",
  "{n} more: search to find them.": "{n} arall: chwiliwch i ddod o hyd iddynt.",
  "Everything has been read.": "Mae popeth wedi’i ddarllen.",
  "Nobody found.": "Ni chafwyd hyd i neb.",
  "{name}, {n} unread": "{name}, {n} heb eu darllen",
  "No number": "Dim rhif",
  "no number": "dim rhif",
  "member": "aelod",
  "staff": "staff",
  "stranger": "dieithryn",
  "Member": "Aelod",
  "Stranger": "Dieithryn",
  "Keep this phone while looking at others": "Cadw’r ffôn hwn wrth edrych ar rai eraill",
  "Put this phone away": "Rhoi’r ffôn hwn o’r neilltu",
  "Apps": "Apiau",
  "Phone of {name}": "Ffôn {name}",
  "On its way": "Ar ei ffordd",
  "Sent": "Anfonwyd",
  "Delivered": "Cyrhaeddodd",
  "Not delivered": "Ni chyrhaeddodd",
  "Failed": "Methodd",
  "Text messages": "Negeseuon testun",
  "No text messages.": "Dim negeseuon testun.",
  "Text message": "Neges destun",
  "Keywords": "Geiriau allweddol",
  "with {number}": "gyda {number}",
  "nobody yet": "neb eto",
  "What the carrier told the sender": "Yr hyn a ddywedodd y cwmni ffôn wrth yr anfonwr",
  "To the newest message": "I’r neges ddiweddaraf",
  "edited": "golygwyd",
};
const WEEKDAYS = ["Dydd Sul", "Dydd Llun", "Dydd Mawrth", "Dydd Mercher", "Dydd Iau", "Dydd Gwener", "Dydd Sadwrn"];
const MONTHS = [
  "Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin",
  "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr",
];

const first = navigator.languages.find((tag) => /^(cy|en)\b/i.test(tag)) ?? "en";
export const LANGUAGE = first.slice(0, 2).toLowerCase() === "cy" ? "cy" : "en-GB";

/** Say an English sentence in the language of the desk; `places` fill its {places}. */
export function say(english, places = {}) {
  const template = LANGUAGE === "cy" ? WELSH[english] ?? english : english;
  return template.replace(/{(\w+)}/g, (_, name) => places[name]);
}

/** A day by its name; browsers do not all know the Welsh ones. */
export function dayText(date, year) {
  if (LANGUAGE === "cy") return `${WEEKDAYS[date.getDay()]}, ${date.getDate()} ${MONTHS[date.getMonth()]}${year ? ` ${date.getFullYear()}` : ""}`;
  return date.toLocaleDateString(LANGUAGE, { weekday: "long", day: "numeric", month: "long", year: year ? "numeric" : undefined });
}

/** Say what stands in the page as it was sent. */
export function sayPage() {
  document.documentElement.lang = LANGUAGE;
  document.title = say(document.title);
  for (const labelled of document.querySelectorAll("[aria-label]")) {
    labelled.setAttribute("aria-label", say(labelled.getAttribute("aria-label")));
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data } = texts.currentNode;
    const words = data.trim();
    if (words) texts.currentNode.data = data.replace(words, () => say(words));
  }
}
