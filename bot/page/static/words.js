// The page's sentences in one language, and moments as a person of it writes them.

export class Words {
  constructor(language, texts, timezone) {
    Object.assign(this, { language, texts, timezone });
  }

  // A missing text is ours to mend: it shows as its key, and a test finds it.
  say(key, facts = {}) {
    return (this.texts[key] ?? key).replace(/\{(\w+)\}/g, (place, name) => String(facts[name] ?? place));
  }

  has(key) {
    return key in this.texts;
  }

  // "5:00 pm on Friday 2 September 2022 (BST)", in the poll's time zone.
  moment(iso) {
    const parts = Object.fromEntries(
      new Intl.DateTimeFormat('en-GB', {
        timeZone: this.timezone,
        weekday: 'short',
        day: 'numeric',
        month: 'numeric',
        year: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
        timeZoneName: 'short',
      }).formatToParts(new Date(iso)).map(({ type, value }) => [type, value]),
    );
    const hour = Number(parts.hour);
    const weekday = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(parts.weekday) + 1;
    const isMidnight = hour === 0 && parts.minute === '00';
    return this.say(isMidnight ? 'date.moment_midnight' : 'date.moment', {
      time: this.#clock(hour, parts.minute),
      weekday: this.say(`date.weekday.${weekday}`),
      day: String(Number(parts.day)),
      month: this.say(`date.month.${Number(parts.month)}`),
      year: parts.year,
      zone: parts.timeZoneName,
    });
  }

  #clock(hour, minute) {
    if (minute === '00' && hour === 0) return this.say('date.midnight');
    if (minute === '00' && hour === 12) return this.say('date.noon');
    const key = hour < 12 ? 'date.time.morning' : 'date.time.afternoon';
    return this.say(key, { hour: ((hour + 11) % 12) + 1, hour_of_24: String(hour).padStart(2, '0'), minute });
  }
}
