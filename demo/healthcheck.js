// Asked by the container engine. leakwatch takes programs of this name for no service. Without node:http it starts in half the time.

import { connect } from "node:net";

const socket = connect(Number(process.env.PORT || 8080), "127.0.0.1");
socket.setTimeout(5000, () => process.exit(1));
socket.on("error", () => process.exit(1));
socket.on("end", () => process.exit(1));
socket.once("data", (data) => process.exit(data.toString().startsWith("HTTP/1.1 200 ") ? 0 : 1));
socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
