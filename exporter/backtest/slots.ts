// Which slot of its service a process takes. A pod that a deploy or a node's end replaced is followed by the one that takes its
// place, so that a service keeps its slots while its processes come and go.

interface Place {
  readonly name: string;
  process: string;
  lastSeen: number;
  startTime: number;
}

export class Slots {
  private readonly places: Place[] = [];
  private readonly byProcess = new Map<string, Place>();

  /** Has the process a slot? Those that have come first at each time: only then is it known which slots are left. */
  has(process: string): boolean {
    return this.byProcess.get(process)?.process === process;
  }

  /** Name of the slot of a process that was seen at `time`; `ordinal` is the number that its own name gives it, if one does. */
  of(process: string, ordinal: string | undefined, time: number, startTime: number): string {
    let place = this.byProcess.get(process);
    if (place?.process !== process) {
      place = this.free(ordinal, time, startTime) ?? this.added(ordinal);
      place.process = process;
      this.byProcess.set(process, place);
    }
    place.lastSeen = time;
    if (!Number.isNaN(startTime)) place.startTime = startTime;
    return place.name;
  }

  /** Of the places that nobody has any more: that of the same process under another name, or else the one left last. */
  private free(ordinal: string | undefined, time: number, startTime: number): Place | undefined {
    if (ordinal !== undefined) return this.places.find(({ name }) => name === ordinal && this.isFree(name, time));
    const free = this.places.filter(({ name }) => this.isFree(name, time));
    const same = free.find((place) => place.startTime === startTime);
    return (
      same ?? free.reduce<Place | undefined>((a, b) => (a !== undefined && a.lastSeen >= b.lastSeen ? a : b), undefined)
    );
  }

  private isFree(name: string, time: number): boolean {
    const place = this.places.find((one) => one.name === name);
    return place !== undefined && place.lastSeen < time;
  }

  private added(ordinal: string | undefined): Place {
    const taken = new Set(this.places.map(({ name }) => name));
    let name = ordinal ?? "0";
    for (let i = 0; taken.has(name); i++) name = String(i);
    const place = { name, process: "", lastSeen: Number.NEGATIVE_INFINITY, startTime: Number.NaN };
    this.places.push(place);
    return place;
  }
}
