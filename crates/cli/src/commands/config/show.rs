//! `pressroom config show`

use crate::{
    Printer,
    config::{self, Config},
};
use clap::Args;

/// Prints every value and where it was said.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom config show
  pressroom --data /srv/pressroom --json config show")]
pub struct Show {}

impl Show {
    /// Prints the configuration.
    pub fn run(&self, config: &Config, printer: &mut Printer) {
        if printer.json() {
            printer.json_line(&config::show_json(config));
        } else {
            printer.data(&config::show(config));
        }
    }
}
