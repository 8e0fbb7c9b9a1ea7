//! `pressroom completions`

use crate::Printer;
use clap::{Args, Command};
use clap_complete::Shell;

/// Prints a script that completes commands in a shell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom completions bash > /etc/bash_completion.d/pressroom
  pressroom completions zsh > ~/.zfunc/_pressroom
  pressroom completions fish > ~/.config/fish/completions/pressroom.fish")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

impl Completions {
    /// Prints the script for this command line.
    pub fn run(&self, mut line: Command, printer: &mut Printer) {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut line, "pressroom", &mut script);
        printer.data(&String::from_utf8_lossy(&script));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cli;
    use clap::CommandFactory;

    #[test]
    fn every_shell_has_a_script_that_knows_our_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let (mut printer, captured) = Printer::captured(None);
            Completions { shell }.run(Cli::command(), &mut printer);
            assert!(captured.out().contains("password-stdin"));
            assert_eq!(captured.err(), "");
        }
    }
}
