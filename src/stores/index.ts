/** The table of the stores: one line each. A store of bookings passes the suite in `test/conformance/bookings.ts`. */
export { createFileStore } from './file.ts';
export { createHistoryFile } from './history-file.ts';
export { createMemoryBookings } from './memory.ts';
