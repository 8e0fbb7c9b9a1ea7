//! What happened in a clone: what its code tried, and what PHP said of errors.

use crate::{
    Error, Result,
    cage::{
        attempts::{self, Attempt},
        php, record,
    },
    home::Home,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

/// So much of a log is read.
const LARGEST: u64 = 8 * 1024 * 1024;
/// So many different errors are told.
const MOST: usize = 300;
/// The longest message that is kept, in bytes.
const LONGEST: usize = 600;

/// What happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsalLog {
    /// What was tried and kept from happening.
    pub attempts: Vec<Attempt>,
    /// What PHP wrote into its log.
    pub php_errors: Vec<PhpError>,
}

/// An error of PHP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhpError {
    /// As PHP names it, e.g. `Fatal error` or `Warning`; empty for what a site wrote itself.
    pub level: String,
    /// The message, its first line.
    pub message: String,
    /// The file, relative to WordPress where it is in there.
    pub file: Option<String>,
    /// The line.
    pub line: Option<u64>,
    /// How often.
    pub times: u64,
}

/// Reads what happened so far in a clone.
pub fn log(home: &Home, handle: &str) -> Result<RehearsalLog> {
    let record = record::read(home, handle)?;
    let dir = record.dir(home);
    let real = php::real_dir(home, &record);
    let site = format!("{}/site/", real.display());
    let mut told = BTreeMap::new();
    for file in [php::ERROR_LOG, "site/wp-content/debug.log"] {
        gather(&read(&dir.join(file))?, &site, &mut told);
    }
    Ok(RehearsalLog {
        attempts: attempts::read(&dir)?,
        php_errors: told
            .into_iter()
            .map(|((level, message, file, line), times)| PhpError {
                level,
                message,
                file,
                line,
                times,
            })
            .collect(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let linked = path.symlink_metadata().is_ok_and(|found| !found.is_file());
    match File::open(path) {
        Ok(_) if linked => return Ok(bytes),
        Ok(file) => file
            .take(LARGEST)
            .read_to_end(&mut bytes)
            .map_err(|why| Error::io("read", path, why))?,
        Err(why) if why.kind() == io::ErrorKind::NotFound => 0,
        Err(why) => return Err(Error::io("open", path, why)),
    };
    Ok(bytes)
}

type Told = BTreeMap<(String, String, Option<String>, Option<u64>), u64>;

fn gather(bytes: &[u8], site: &str, told: &mut Told) {
    let text = String::from_utf8_lossy(bytes);
    let mut entry = String::new();
    for line in text.lines().chain(["[end] "]) {
        if starts(line) || line == "[end] " {
            if !entry.is_empty() {
                let key = understood(&entry, site);
                if told.len() < MOST || told.contains_key(&key) {
                    *told.entry(key).or_default() += 1;
                }
            }
            entry.clear();
        }
        if entry.len() < 64 * 1024 {
            entry.push_str(line);
            entry.push('\n');
        }
    }
}

/// Whether a line begins an entry: `[23-Nov-2026 07:10:11 UTC] …`.
fn starts(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.first() == Some(&b'[')
        && bytes.get(1).is_some_and(u8::is_ascii_digit)
        && bytes.get(3) == Some(&b'-')
        && bytes.get(7) == Some(&b'-')
        && line.contains("] ")
}

fn understood(entry: &str, site: &str) -> (String, String, Option<String>, Option<u64>) {
    let text = match entry.split_once("] ") {
        Some((_, text)) if starts(entry) => text,
        _ => entry,
    };
    let (level, rest) = match text
        .strip_prefix("PHP ")
        .and_then(|text| text.split_once(':'))
    {
        Some((level, rest)) if level.len() < 40 => (level.to_owned(), rest.trim_start()),
        _ => (String::new(), text),
    };
    let place = rest.rfind(" on line ").and_then(|at| {
        let line = rest.get(at + 9..)?.split_whitespace().next()?;
        let before = rest.get(..at)?;
        let file = before.get(before.rfind(" in ")? + 4..)?;
        Some((file.to_owned(), line.parse::<u64>().ok()?))
    });
    let first = rest.lines().next().unwrap_or_default();
    let mut message = match &place {
        // `… in FILE on line N`, or `… in FILE:N` with a trace behind it.
        Some((file, _)) => {
            let end = first.find(&format!(" in {file}")).unwrap_or(first.len());
            first.get(..end).unwrap_or(first).to_owned()
        }
        None => first.to_owned(),
    };
    message = message.replace(site, "");
    message.truncate(message.floor_char_boundary(LONGEST));
    let (file, line) = place.unzip();
    let file = file.map(|file| file.strip_prefix(site).unwrap_or(&file).to_owned());
    (level, message, file, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_once_with_their_place() {
        let text = "[23-Nov-2026 07:10:11 UTC] PHP Warning:  Undefined variable $a in /c/site/wp-content/plugins/x/x.php on line 12\n\
            [23-Nov-2026 07:10:12 UTC] PHP Warning:  Undefined variable $a in /c/site/wp-content/plugins/x/x.php on line 12\n\
            [23-Nov-2026 07:10:13 UTC] PHP Fatal error:  Uncaught Error: Call to undefined function y() in /c/site/wp-content/plugins/x/x.php:3\n\
            Stack trace:\n#0 /c/site/wp-settings.php(1): include_once()\n#1 {main}\n  thrown in /c/site/wp-content/plugins/x/x.php on line 3\n\
            [23-Nov-2026 07:10:14 UTC] something that a plugin wrote\n\
            [23-Nov-2026 07:10:15 Europe/Berlin] PHP Parse error:  syntax error, unexpected end of file in /other/y.php on line 7\n";
        let mut told = BTreeMap::new();
        gather(text.as_bytes(), "/c/site/", &mut told);
        let plugin = Some("wp-content/plugins/x/x.php".to_owned());
        let expected = [
            ("", "something that a plugin wrote", None, None, 1),
            (
                "Fatal error",
                "Uncaught Error: Call to undefined function y()",
                plugin.clone(),
                Some(3),
                1,
            ),
            (
                "Parse error",
                "syntax error, unexpected end of file",
                Some("/other/y.php".to_owned()),
                Some(7),
                1,
            ),
            ("Warning", "Undefined variable $a", plugin, Some(12), 2),
        ];
        let found: Vec<_> = told.into_iter().collect();
        assert_eq!(found.len(), expected.len());
        for (((level, message, file, line), times), wanted) in found.iter().zip(expected) {
            assert_eq!(
                (
                    level.as_str(),
                    message.as_str(),
                    file.clone(),
                    *line,
                    *times
                ),
                wanted
            );
        }
        gather(b"\xff\n[\n[12-", "/c/", &mut BTreeMap::new());
    }
}
