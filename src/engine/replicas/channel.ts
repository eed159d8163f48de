/** A connection between two replicas: texts arrive in order, or it ends. It also ends when the other side is silent for `SILENT` seconds. */
export interface Channel {
  send(text: string): void;
  /** Called once, at once. `ended` is called once, also when this side ends it. */
  receive(events: ChannelEvents): void;
  end(): void;
}

export interface ChannelEvents {
  text(text: string): void;
  ended(): void;
}
