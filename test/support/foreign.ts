// Text as somebody chooses it who wants to be taken for somebody else.

/** ANSI's escape in both forms, a mark that turns the writing around, and a line that GitHub's runner takes for a command. */
export const evil = "api\u001b[2J\u009b31m\u202etxt\n::error::forged ##[error]too";

/** The same as it may be shown. */
export const shownEvil = "api\\x1b[2J\\x9b31m\\u202etxt\\x0a::error::forged \\x23#[error]too";

/** What must be nowhere in an output: a line feed is layout. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
export const active = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]|##\[|^\s*::/mu;
