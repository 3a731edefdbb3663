// The protocol of Node.js' inspector: requests and answers as JSON over a WebSocket.
// https://chromedevtools.github.io/devtools-protocol/v8/

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

interface Waiting {
  readonly resolve: (result: Record<string, unknown>) => void;
  readonly reject: (error: Error) => void;
}

/** Who takes messages of this protocol: the main thread over the socket, a worker through the main thread. */
export interface Session {
  send(method: string, params?: object): Promise<Record<string, unknown>>;
}

/** Numbers requests, and finds the one that an answer is for. */
class Requests {
  private last = 0;
  private readonly waiting = new Map<number, Waiting>();

  add(seconds: number): { id: number; answer: Promise<Record<string, unknown>> } {
    const id = ++this.last;
    const answer = new Promise<Record<string, unknown>>((resolve, reject) => {
      const timer = setTimeout(
        () => this.settle({ id, error: { message: `no answer within ${seconds} s` } }),
        seconds * 1000,
      );
      const over = () => clearTimeout(timer);
      this.waiting.set(id, {
        resolve: (result) => [over(), resolve(result)],
        reject: (error) => [over(), reject(error)],
      });
    });
    return { id, answer };
  }

  /** Messages without an id are events, for which nobody waits. */
  settle({ id, result = {}, error }: Answer): void {
    if (id === undefined) return;
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  }

  rejectAll(message: string): void {
    for (const id of [...this.waiting.keys()]) this.settle({ id, error: { message } });
  }
}

/** Time for one answer, in seconds: a collection of some gigabytes takes that long. */
const answerSeconds = 15;
const connectSeconds = 5;

export class DevTools implements Session {
  private readonly socket: WebSocket;
  private readonly requests = new Requests();
  private readonly workers = new Map<string, Requests>();
  private closed = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.onmessage = ({ data }) => {
      try {
        this.take(JSON.parse(String(data)) as Answer);
      } catch {
        this.close(); // it speaks another language
      }
    };
    socket.onclose = () => this.over();
    socket.onerror = () => this.over();
  }

  /** Connects, and sees to it that the program does not wait for us when it wants to exit. */
  static async connect(url: string): Promise<DevTools> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error("its inspector does not answer"));
      const timer = setTimeout(() => [socket.close(), fail()], connectSeconds * 1000);
      socket.onopen = () => [clearTimeout(timer), resolve()];
      socket.onerror = () => [clearTimeout(timer), fail()];
    });
    const tools = new DevTools(socket);
    await tools.send("NodeRuntime.notifyWhenWaitingForDisconnect", { enabled: true });
    await tools.send("NodeWorker.enable", { waitForDebuggerOnStart: false });
    return tools;
  }

  get isOpen(): boolean {
    return !this.closed;
  }

  /** The main thread, and every worker thread that runs now. */
  get sessions(): readonly Session[] {
    const ofWorker = (id: string): Session => ({ send: (method, params) => this.sendTo(id, method, params) });
    return [this, ...[...this.workers.keys()].map(ofWorker)];
  }

  /** Throws what the inspector says. */
  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const { id, answer } = this.requests.add(answerSeconds);
    if (this.closed) this.requests.settle({ id, error: { message: "the connection is closed" } });
    else this.socket.send(JSON.stringify({ id, method, params }));
    return answer;
  }

  close(): void {
    this.socket.close();
    this.over();
  }

  private async sendTo(sessionId: string, method: string, params: object = {}): Promise<Record<string, unknown>> {
    const requests = this.workers.get(sessionId);
    if (requests === undefined) throw new Error("the worker thread has ended");
    const { id, answer } = requests.add(answerSeconds);
    const sent = this.send("NodeWorker.sendMessageToWorker", {
      sessionId,
      message: JSON.stringify({ id, method, params }),
    });
    sent.catch((error: Error) => requests.settle({ id, error }));
    return answer;
  }

  private take(message: Answer): void {
    this.requests.settle(message);
    const sessionId = String(message.params?.["sessionId"]);
    switch (message.method) {
      case "NodeRuntime.waitingForDisconnect":
        this.close();
        break;
      case "NodeWorker.attachedToWorker":
        this.workers.set(sessionId, new Requests());
        break;
      case "NodeWorker.detachedFromWorker":
        this.workers.get(sessionId)?.rejectAll("the worker thread has ended");
        this.workers.delete(sessionId);
        break;
      case "NodeWorker.receivedMessageFromWorker":
        this.workers.get(sessionId)?.settle(JSON.parse(String(message.params?.["message"])) as Answer);
    }
  }

  private over(): void {
    this.closed = true;
    for (const requests of [this.requests, ...this.workers.values()]) requests.rejectAll("the connection is closed");
    this.workers.clear();
  }
}
