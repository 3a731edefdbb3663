// /proc/<pid>/net/tcp and tcp6: the sockets of the process' network namespace.
//     sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//      0: 0100007F:2677 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 48190 1 …
// https://docs.kernel.org/networking/proc_net_tcp.html

const listening = "0A";

/** Listening ports by the inode of their socket, which the links in /proc/<pid>/fd name. */
export function parseListeningPorts(text: string): Map<string, number> {
  const ports = new Map<string, number>();
  for (const line of text.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const port = fields[1]?.split(":")[1];
    const inode = fields[9];
    if (fields[3] === listening && port !== undefined && inode !== undefined)
      ports.set(inode, Number.parseInt(port, 16));
  }
  return ports;
}
