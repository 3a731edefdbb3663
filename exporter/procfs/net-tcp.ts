// /proc/<pid>/net/tcp and tcp6: the sockets of the process' network namespace.
//     sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//      0: 0100007F:2677 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 48190 1 …
// https://docs.kernel.org/networking/proc_net_tcp.html

const listening = "0A";

export interface ListeningSocket {
  /** The links in /proc/<pid>/fd name it. */
  readonly inode: string;
  /** `127.0.0.1`; undefined for one of version 6. */
  readonly address: string | undefined;
  readonly port: number;
}

export function parseListening(text: string): ListeningSocket[] {
  const sockets: ListeningSocket[] = [];
  for (const line of text.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [address, port] = fields[1]?.split(":") ?? [];
    const inode = fields[9];
    if (fields[3] !== listening || address === undefined || port === undefined || inode === undefined) continue;
    sockets.push({ inode, address: addressOf(address), port: Number.parseInt(port, 16) });
  }
  return sockets;
}

/** Listening ports by the inode of their socket. */
export function parseListeningPorts(text: string): Map<string, number> {
  return new Map(parseListening(text).map(({ inode, port }) => [inode, port]));
}

/** Four bytes in the order of a number of the machine, which is little-endian wherever this runs. */
function addressOf(hex: string): string | undefined {
  if (hex.length !== 8) return undefined;
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");
}
