//! The one place where words for a shell on another machine are put together.
//!
//! SSH knows commands only as one text, read by whatever shell the account has. So the
//! text is always the same few words, in a form that every shell reads alike, and the
//! script itself comes over standard input. It is constant; data reaches it as words of
//! its own, quoted here.

use super::RunAs;

/// Reads a script of `$1` bytes from standard input, byte by byte so that nothing of
/// what follows is lost, and runs it with the other words. Of one line and without `!`
/// and `\`, so that even csh and fish take it between quotes as it is.
const BOOT: &str = r#"script=$(dd bs=1 count="$1" 2>/dev/null) && shift && eval "$script""#;

/// Becomes the user `$1`, with nothing of root's, and runs the other words.
const BECOME: &str = r#"user=$1 && shift && home=$(eval "echo ~$user") && cd / && if command -v runuser >/dev/null; then exec env -i HOME="$home" PATH="$PATH" LANG=C.UTF-8 runuser -u "$user" -- "$@"; else exec sudo -n -H -u "$user" -- "$@"; fi"#;

/// The command that runs a script of `length` bytes, which comes over standard input,
/// with these words. None when a word cannot be given to every shell.
pub(super) fn command(run_as: &RunAs, length: usize, words: &[&str]) -> Option<String> {
    let length = length.to_string();
    let boot = ["sh", "-c", BOOT, "pressroom", &length];
    let before: Vec<&str> = match run_as {
        RunAs::Login => vec![],
        RunAs::Sudo(user) => vec!["sudo", "-n", "-H", "-u", user, "--"],
        RunAs::Root(user) => vec!["sh", "-c", BECOME, "pressroom", user],
    };
    let words = before.iter().chain(&boot).chain(words);
    let quoted: Option<Vec<String>> = words.map(|word| quote(word)).collect();
    Some(format!("exec {}", quoted?.join(" ")))
}

/// A word as every shell reads it. Control characters are refused: not all shells take
/// a line's end between quotes.
fn quote(word: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,@+%".contains(&byte);
    if word.chars().any(char::is_control) {
        return None;
    }
    if !word.is_empty() && word.bytes().all(is_plain) {
        return Some(word.to_owned());
    }
    Some(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::{BECOME, BOOT, RunAs, command, quote};
    use proptest::prelude::*;
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    #[test]
    fn what_every_shell_reads_has_nothing_that_one_reads_otherwise() {
        for text in [BOOT, BECOME] {
            assert!(!text.contains(['!', '\\', '\'', '\n']), "{text}");
        }
    }

    #[test]
    fn a_script_is_run_with_its_words_and_the_rest_of_its_input() {
        let script = "printf '%s|' \"$@\"; cat";
        let words = ["a b", "it's", "$(id)", "", "*"];
        let line = command(&RunAs::Login, script.len(), &words).unwrap();
        let mut shell = Command::new("sh")
            .args(["-c", &line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = format!("{script}what follows");
        shell
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let said = shell.wait_with_output().unwrap().stdout;
        assert_eq!(
            String::from_utf8(said).unwrap(),
            "a b|it's|$(id)||*|what follows"
        );
    }

    #[test]
    fn a_word_of_several_lines_is_refused() {
        assert_eq!(quote("a\nb"), None);
        assert_eq!(command(&RunAs::Login, 1, &["a\0b"]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn sh_reads_a_quoted_word_as_it_was(word in "\\PC{0,20}|[ '\"$`\\\\!*?~#&;|<>(){}-]{0,12}") {
            let quoted = quote(&word).unwrap();
            let said = Command::new("sh")
                .args(["-c", &format!("printf %s {quoted}")])
                .output()
                .unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&said.stdout), word);
        }
    }
}
