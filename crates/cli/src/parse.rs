//! Reading what was typed.

use crate::{Cli, Exit, Failure, Printer};
use clap::{CommandFactory, FromArgMatches, error::ErrorKind};
use std::ffi::OsString;

/// The command that was typed; otherwise how to end: help and versions are printed to
/// standard output and are no failure, everything else is told on standard error.
pub fn parse(args: &[OsString], printer: &mut Printer) -> Result<Cli, Exit> {
    let parsed = Cli::command()
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let error = match parsed {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            printer.data(&error.render().to_string());
            Err(Exit::Done)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            printer.complaint(&error.render().to_string());
            Err(Exit::Usage)
        }
        _ => {
            let text = error.render().to_string();
            // Nothing was parsed, so the flag has to be looked for by hand.
            if args.iter().any(|arg| arg == "--json") {
                let message = text.trim_start_matches("error: ").lines().next();
                printer.set_json(true);
                printer.failure(&Failure::usage(message.unwrap_or("unknown command")));
            } else {
                printer.complaint(&text);
            }
            Err(Exit::Usage)
        }
    }
}
