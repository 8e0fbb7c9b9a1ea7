//! `pressroom user add`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::Secret;
use pressroom_fleet::{Caller, Fleet, users::NewUser};
use std::io::Read;

/// Adds a person; prints the id.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user add ann@example.com --name 'Ann Example' --password-stdin < password.txt
  printf '%s' \"$PASSWORD\" | pressroom user add root@example.com --name Root --admin --password-stdin")]
pub struct Add {
    /// The person's address, which they sign in with
    pub email: String,
    /// The person's name
    #[arg(long)]
    pub name: String,
    /// They operate this installation and see every account
    #[arg(long)]
    pub admin: bool,
    /// Read the password from standard input, up to the first line break
    #[arg(long, required = true)]
    pub password_stdin: bool,
}

impl Add {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let password = read_password(std::io::stdin().lock())?;
        let new = NewUser {
            email: self.email,
            name: self.name,
            operator: self.admin,
            password,
        };
        let user = fleet.add_user(caller, new).await?;
        printer.one(&user, &user.id.to_string());
        Ok(Exit::Done)
    }
}

/// The first line of the input. Never an argument: arguments are seen by everyone who
/// may list processes.
pub(in crate::commands) fn read_password(input: impl Read) -> Result<Secret<String>, Failure> {
    const LONGEST: u64 = 1024;
    let mut text = String::new();
    input
        .take(LONGEST + 2)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage("the password cannot be read").because(&error))?;
    let line = text.split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::usage("standard input holds no password")
            .with_hint("write it to standard input, e.g. `… --password-stdin < password.txt`"));
    }
    if line.len() as u64 > LONGEST {
        return Err(Failure::usage(format!(
            "the password is longer than {LONGEST} bytes"
        )));
    }
    Ok(Secret::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_first_line_as_it_is() {
        for (input, password) in [
            ("secret", "secret"),
            ("secret\n", "secret"),
            ("secret\r\nsecond", "secret"),
            (" with blanks \n", " with blanks "),
        ] {
            let read = read_password(input.as_bytes()).expect("a password");
            assert_eq!(read.expose(), password);
        }
        for input in [String::new(), "\nx".into(), "x".repeat(1025)] {
            let failure = read_password(input.as_bytes()).expect_err("no password");
            assert_eq!(failure.exit(), Exit::Usage);
        }
        assert!(read_password(&b"\xff\xfe"[..]).is_err());
    }
}
