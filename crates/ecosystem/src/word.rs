//! What may be a name or a version: one word, and no option of a command.

/// Whether `text` can go into reports and commands: not empty, no white space, no control characters, no leading hyphen.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
