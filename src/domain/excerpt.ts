// Texts of strangers, short enough to stand in a message.

const MOST = 253; // as long as the longest name of a Kubernetes object

/** The text, or its beginning and `…` where it is longer than a name may be. */
export const excerpt = (text: string): string => (text.length <= MOST ? text : `${text.slice(0, MOST)}…`);
