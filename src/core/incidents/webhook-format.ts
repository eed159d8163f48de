/** The forms in which a webhook sends a notification. `json` has all fields; the others are what chat services accept. */
export const WEBHOOK_FORMATS = ['json', 'slack', 'discord', 'teams'] as const;

export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];
