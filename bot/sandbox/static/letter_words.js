// What is printed on a ballot pack's letter, in the member's language; the desk around it is not part of the letter.

const WORDS = {
  "en-GB": {
    pack: (name) => `Ballot pack of ${name}`,
    member: "Member",
    intro: "Here are your two security codes. You can vote by post with the paper in this pack, or online.",
    packCode: "Pack code",
    voteCode: "Vote code",
    word: "The chat will answer your pack code with this word: ",
    otherWord: ". If it shows another word, stop and tell us.",
    onPage: "To vote on the voting page",
    inChat: "To vote in the chat",
    scan: "Scan this with your phone, or open",
    pageCode: "QR code of the voting page",
    chatCode: "QR code of the chat’s address",
    openChat: "Open the chat, as scanning the code would",
    typeCode: (label, value, name) => `${label} ${value}: type it into ${name}’s chat`,
  },
  cy: {
    pack: (name) => `Pecyn pleidleisio ${name}`,
    member: "Aelod",
    intro: "Dyma eich dau god diogelwch. Gallwch bleidleisio drwy’r post gyda’r papur yn y pecyn hwn, neu ar-lein.",
    packCode: "Cod pecyn",
    voteCode: "Cod pleidlais",
    word: "Bydd y sgwrs yn ateb eich cod pecyn gyda’r gair hwn: ",
    otherWord: ". Os yw’n dangos gair arall, stopiwch a dywedwch wrthym.",
    onPage: "I bleidleisio ar y dudalen bleidleisio",
    inChat: "I bleidleisio yn y sgwrs",
    scan: "Sganiwch hwn â’ch ffôn, neu agorwch",
    pageCode: "Cod QR y dudalen bleidleisio",
    chatCode: "Cod QR cyfeiriad y sgwrs",
    openChat: "Agor y sgwrs, fel y byddai sganio’r cod yn ei wneud",
    typeCode: (label, value, name) => `${label} ${value}: ei deipio yn sgwrs ${name}`,
  },
};

/** The words of a letter and the language they are in. */
export function wordsOf({ language }) {
  const known = language in WORDS ? language : "en-GB";
  return { language: known, words: WORDS[known] };
}
