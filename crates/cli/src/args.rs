//! What may be typed.

use crate::{
    commands::{FleetCommand, agent, completions, config, data, hosting, serve},
    config::{Flag, Sources},
};
use clap::{CommandFactory as _, Parser, Subcommand};
use std::path::PathBuf;

/// Runs a fleet of WordPress sites.
#[derive(Debug, Parser)]
#[command(
    name = "pressroom",
    version,
    about = "Runs a fleet of WordPress sites",
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    after_help = "Examples:
  pressroom serve
  pressroom site list
  pressroom --json job show job_1x9qkd03mz7e"
)]
pub struct Cli {
    /// Answer in JSON, one value per line
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// Print only data and failures
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub quiet: bool,
    /// Directory of Pressroom's own data
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub data: Option<PathBuf>,
    /// Configuration file, when it is not `pressroom.toml` in the data directory
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// All that may be typed, as data.
    pub fn line() -> clap::Command {
        Self::command()
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the HTTP server, the workers, or both
    Serve(serve::Serve),
    /// Do site operations for a pipe's other end
    #[command(subcommand, hide = true)]
    Agent(agent::Agent),
    /// What needs the store.
    #[command(flatten)]
    Fleet(FleetCommand),
    /// The web server, PHP and database server of this machine's sites
    #[command(subcommand)]
    Hosting(hosting::Hosting),
    /// Copies of Pressroom's own records, and the key that seals secrets in them
    #[command(subcommand)]
    Data(data::Data),
    /// The configuration that holds
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a script that completes commands in your shell
    Completions(completions::Completions),
}

impl Cli {
    /// Where this command's configuration is looked for.
    pub fn sources(&self, root: bool) -> Sources {
        let mut sources = Sources::of_process(root);
        sources.file.clone_from(&self.config);
        if let Some(data) = &self.data {
            sources.flags.push(Flag {
                key: "data",
                name: "--data",
                value: data.display().to_string(),
            });
        }
        if let Command::Serve(serve) = &self.command
            && let Some(listen) = &serve.listen
        {
            sources.flags.push(Flag {
                key: "listen",
                name: "--listen",
                value: listen.clone(),
            });
        }
        sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn all(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
        let help = command.get_after_help().map(ToString::to_string);
        found.push((path.to_owned(), help.unwrap_or_default()));
        for child in command.get_subcommands() {
            all(child, &format!("{path} {}", child.get_name()), found);
        }
    }

    /// Splits as a shell does, as far as our examples need it.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                other => {
                    if let Some(word) = words.last_mut() {
                        word.push(other);
                    }
                }
            }
        }
        words
    }

    #[test]
    fn clap_finds_no_fault() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_that_parse() {
        let mut found = Vec::new();
        all(&Cli::command(), "pressroom", &mut found);
        assert!(found.len() > 15, "{found:?}");
        for (path, help) in found {
            assert!(help.starts_with("Examples:\n"), "`{path}` has no examples");
            let mut own = false;
            for line in help.lines().skip(1) {
                let command = line.rsplit(" | ").next().unwrap_or_default();
                let command = command.split(" > ").next().unwrap_or_default();
                let command = command.split(" <").next().unwrap_or_default().trim();
                let parsed = Cli::try_parse_from(words(command));
                assert!(parsed.is_ok(), "{line}: {}", parsed.expect_err("checked"));
                own |= path.split(' ').all(|word| command.contains(word));
            }
            assert!(own, "`{path}` has no example of its own");
        }
    }
}
