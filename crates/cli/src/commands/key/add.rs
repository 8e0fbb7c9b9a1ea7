//! `pressroom key add`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::Secret;
use pressroom_fleet::{
    Caller, Fleet,
    ssh_keys::{KeyKind, KeySource, NewSshKey},
};
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

/// More than any private key has.
const LONGEST: u64 = 64 * 1024;

/// Makes a key for an account's hosts, or imports one; prints the line that belongs into
/// a login's `authorized_keys`. The private half is kept sealed and never shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom key add --account agency
  pressroom key add --account agency --label old-hosts --rsa
  pressroom key add --account agency --import ~/.ssh/id_ed25519
  pressroom key add --account agency --import id_rsa --passphrase-stdin < passphrase.txt")]
pub struct Add {
    /// The account whose hosts it opens
    #[arg(long, value_name = "NAME")]
    pub account: String,
    /// A name to tell it from others
    #[arg(long, default_value = "pressroom")]
    pub label: String,
    /// Make an RSA key, for hosts that know nothing newer
    #[arg(long, conflicts_with = "import")]
    pub rsa: bool,
    /// Take the private key in this file; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub import: Option<PathBuf>,
    /// Read the passphrase of that key from standard input; it is not kept
    #[arg(long, requires = "import")]
    pub passphrase_stdin: bool,
}

impl Add {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let source = match &self.import {
            Some(file) => import(file, self.passphrase_stdin)?,
            None if self.rsa => KeySource::Generate(KeyKind::Rsa),
            None => KeySource::Generate(KeyKind::Ed25519),
        };
        let new = NewSshKey {
            account: self.account,
            label: self.label,
            source,
        };
        let key = fleet.add_ssh_key(caller, new).await?;
        printer.one(&key, &key.public_line);
        printer.note(&format!(
            "key {} ({}) opens hosts of `{}`{}; put this line into `~/.ssh/authorized_keys` there",
            key.id,
            key.fingerprint,
            key.account,
            if key.primary {
                ""
            } else {
                " that name it with `--key`"
            }
        ));
        Ok(Exit::Done)
    }
}

fn import(file: &Path, with_passphrase: bool) -> Result<KeySource, Failure> {
    let is_stdin = file == Path::new("-");
    if is_stdin && with_passphrase {
        return Err(Failure::usage(
            "standard input cannot be both the key and its passphrase",
        ));
    }
    let mut private = String::new();
    let read = if is_stdin {
        io::stdin()
            .lock()
            .take(LONGEST)
            .read_to_string(&mut private)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LONGEST).read_to_string(&mut private))
    };
    read.map_err(|error| {
        Failure::usage(format!("`{}` cannot be read as a key", file.display())).because(&error)
    })?;
    let mut passphrase = String::new();
    if with_passphrase {
        let mut stdin = io::stdin().lock().take(LONGEST);
        stdin.read_to_string(&mut passphrase).map_err(|error| {
            Failure::usage("the passphrase on standard input is no text").because(&error)
        })?;
    }
    Ok(KeySource::Import {
        private: Secret::new(private),
        passphrase: with_passphrase
            .then(|| Secret::new(passphrase.lines().next().unwrap_or_default().to_owned())),
    })
}
