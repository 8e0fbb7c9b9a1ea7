//! What may be told of PHP's complaints about a file that holds secrets.
//!
//! PHP quotes what it stumbles over, and in a configuration that may be the password
//! of the database. So nothing of its words is passed on but the kind of the error,
//! by a list of known ones, and the line.

/// How PHP announces an error that ends it.
const KINDS: [&str; 3] = [
    "Parse error: ",
    "Recoverable fatal error: ",
    "Fatal error: ",
];

/// How its messages begin; what follows may quote the file.
const MESSAGES: &[&str] = &[
    "syntax error",
    "Unclosed",
    "Unmatched",
    "Unterminated comment",
    "Invalid numeric literal",
    "Invalid UTF-8 codepoint escape",
    "Namespace declaration statement has to be the very first statement",
    "Undefined constant",
    "Undefined variable",
    "Call to undefined function",
    "Call to undefined method",
    "Call to a member function",
    "Call to private method",
    "Access to undeclared static property",
    "Class name must be a valid object or a string",
    "Cannot redeclare",
    "Cannot declare class",
    "Cannot use",
    "Cannot access",
    "Too few arguments to function",
    "Unsupported operand types",
    "Failed opening required",
    "Allowed memory size",
    "Maximum execution time",
    "Division by zero",
];

/// The error in what PHP said; `None` when it said of none.
pub(super) fn complaint(said: &str) -> Option<String> {
    let mut lines = said.lines().skip_while(|line| announced(line).is_none());
    let (kind, message) = announced(lines.next()?)?;
    let mut told = kind.trim_end_matches([':', ' ']).to_owned();
    let mut message = message.trim_start();
    if let Some(thrown) = message.strip_prefix("Uncaught ") {
        let (class, rest) = thrown.split_once(':').unwrap_or((thrown, ""));
        told.push_str(": uncaught ");
        told.push_str(if is_class(class) { class } else { "error" });
        message = rest.trim_start();
    }
    if let Some(known) = MESSAGES.iter().find(|known| message.starts_with(**known)) {
        told.push_str(": ");
        told.push_str(known);
    }
    // What it quotes may itself have ends of lines.
    let number = said
        .lines()
        .skip_while(|line| announced(line).is_none())
        .find_map(number);
    if let Some(number) = number {
        told.push_str(" on line ");
        told.push_str(&number.to_string());
    }
    Some(told)
}

/// The kind of an error and what comes after it.
fn announced(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("PHP ").unwrap_or(line);
    KINDS
        .iter()
        .find_map(|kind| Some((*kind, line.strip_prefix(kind)?)))
}

fn is_class(name: &str) -> bool {
    (1..=80).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\\'))
}

/// The line of the file, as PHP ends a message with it.
fn number(line: &str) -> Option<u32> {
    let (_, number) = line.trim_end().rsplit_once(" on line ")?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn only_the_kind_and_the_line_are_told() {
        for (said, told) in [
            (
                "\nPHP Parse error:  syntax error, unexpected single-quoted string \"hunter2\" in /a/wp-config.php on line 5\n",
                "Parse error: syntax error on line 5",
            ),
            (
                "Parse error: syntax error, unexpected double-quoted string \"hunter2\nhunter2:77\" in /a on line 6",
                "Parse error: syntax error on line 6",
            ),
            (
                "noise\nFatal error: Uncaught Error: Undefined constant \"hunter2\" in /a/b.php:7\nStack trace:\n#0 {main}\n  thrown in /a/b.php on line 7",
                "Fatal error: uncaught Error: Undefined constant on line 7",
            ),
            (
                "PHP Fatal error:  Uncaught App\\Trouble: hunter2 in /a/b.php:7\n",
                "Fatal error: uncaught App\\Trouble",
            ),
            (
                "Fatal error: hunter2 in /a on line 8",
                "Fatal error on line 8",
            ),
        ] {
            assert_eq!(complaint(said).as_deref(), Some(told));
        }
        for said in ["", "hunter2", "Database error: hunter2"] {
            assert_eq!(complaint(said), None);
        }
    }
}
