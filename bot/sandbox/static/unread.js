// What has not been looked at yet: per person, and there per place (a chat's id, or "sms").

export class Unread {
  constructor() {
    this.counts = new Map();
  }

  add(id, place) {
    const places = this.counts.get(id) ?? new Map();
    places.set(place, (places.get(place) ?? 0) + 1);
    this.counts.set(id, places);
  }

  read(id, place) {
    this.counts.get(id)?.delete(place);
  }

  at(id, place) {
    return this.counts.get(id)?.get(place) ?? 0;
  }

  /** Everything of one person; `but` leaves one place out. */
  of(id, but = null) {
    return [...(this.counts.get(id) ?? [])].reduce((sum, [place, count]) => sum + (place === but ? 0 : count), 0);
  }

  /** Person id -> how many. */
  totals() {
    return new Map([...this.counts.keys()].map((id) => [id, this.of(id)]));
  }
}
