import { parentPort, workerData } from "node:worker_threads";
import { scryptSync } from "node:crypto";

parentPort.postMessage(scryptSync(workerData, "salt", 16).toString("hex"));
