//! What may be exchanged is told by its name.

/// Where WordPress keeps translations, relative to the root.
pub const LANGUAGES: &str = "wp-content/languages";

/// What a file of translations ends with. Others of PHP are programs.
const ENDINGS: [&str; 4] = [".mo", ".po", ".l10n.php", ".json"];

/// The file that an item's name says it is, when it is a translation.
pub(super) fn translation(item: &str) -> Option<&str> {
    let name = item.strip_prefix(LANGUAGES)?.strip_prefix('/')?;
    let ending = ENDINGS.iter().find(|ending| name.ends_with(**ending))?;
    let stem = &name[..name.len() - ending.len()];
    (is_word(stem) && name.len() <= 255).then_some(name)
}

/// Whether a text is letters, digits, `_` and `-`.
pub(super) fn is_word(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !text.is_empty() && text.bytes().all(is_part)
}
