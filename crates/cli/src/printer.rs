//! The one place that prints: data to standard output, all else to standard error.

use crate::{
    Failure,
    table::{Table, plain},
};
use serde::Serialize;
use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
};

/// Prints in the form that was asked for, to where it belongs.
#[expect(clippy::struct_excessive_bools, reason = "independent of one another")]
pub struct Printer {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    json: bool,
    quiet: bool,
    width: Option<u16>,
    /// Whether standard error is a terminal's.
    err_terminal: bool,
    live: bool,
}

impl Printer {
    /// Prints to this process's own outputs.
    pub fn of_process() -> Self {
        let width = io::stdout().is_terminal().then(|| {
            rustix::termios::tcgetwinsize(io::stdout())
                .ok()
                .map(|size| size.ws_col)
                .filter(|columns| *columns > 0)
                .unwrap_or(100)
        });
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            json: false,
            quiet: false,
            width,
            err_terminal: io::stderr().is_terminal(),
            live: io::stderr().is_terminal() && width.is_some(),
        }
    }

    /// Prints to memory, as if to a pipe, or to a terminal of this width.
    pub fn captured(width: Option<u16>) -> (Self, Captured) {
        let captured = Captured::default();
        let printer = Self {
            out: Box::new(captured.out.clone()),
            err: Box::new(captured.err.clone()),
            json: false,
            quiet: false,
            width,
            err_terminal: width.is_some(),
            live: false,
        };
        (printer, captured)
    }

    /// Whether answers are JSON.
    pub const fn set_json(&mut self, json: bool) {
        self.json = json;
    }

    /// Whether only data and failures are printed.
    pub const fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// Whether answers are JSON.
    pub const fn json(&self) -> bool {
        self.json
    }

    /// Columns of the terminal that answers go to; `None` in a pipe and for JSON.
    pub const fn width(&self) -> Option<u16> {
        if self.json { None } else { self.width }
    }

    /// Whether complaints are read on a terminal, which obeys what it is sent.
    pub const fn complains_to_terminal(&self) -> bool {
        self.err_terminal
    }

    /// Whether a moving display makes sense: somebody is looking.
    pub const fn live(&self) -> bool {
        self.live && !self.json && !self.quiet
    }

    /// Data, as it is. A reader that went away is no failure of ours.
    pub fn data(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }

    /// Bytes of somebody else's: as they are in a pipe, harmless on a terminal.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.width.is_none() {
            let _ = self.out.write_all(bytes);
            let _ = self.out.flush();
            return;
        }
        for line in String::from_utf8_lossy(bytes).lines() {
            let text = plain(&line.replace('\t', "    "));
            self.line(&text);
        }
    }

    /// A line of data.
    pub fn line(&mut self, text: &str) {
        self.data(&format!("{text}\n"));
    }

    /// A value as one line of JSON.
    pub fn json_line(&mut self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.line(&text),
            Err(error) => self.complaint(&format!("error: the answer is no JSON: {error}\n")),
        }
    }

    /// One thing: as JSON, or as the text a person or script wants of it.
    pub fn one(&mut self, value: &impl Serialize, text: &str) {
        if self.json {
            self.json_line(value);
        } else {
            self.line(text);
        }
    }

    /// Many things: as JSON, a table on a terminal, tab-separated lines in a pipe.
    pub fn many(&mut self, values: &impl Serialize, table: &Table) {
        if self.json {
            self.json_line(values);
        } else {
            let text = table.render(self.width);
            self.data(&text);
        }
    }

    /// How it went, for a person only.
    pub fn note(&mut self, text: &str) {
        if !self.quiet && !self.json {
            self.complaint(&format!("{text}\n"));
        }
    }

    /// Why it failed.
    pub fn failure(&mut self, failure: &Failure) {
        let text = if self.json {
            format!("{}\n", failure.to_json())
        } else {
            failure.to_text()
        };
        self.complaint(&text);
    }

    /// Bytes of somebody else's on standard error, as [`Printer::bytes`].
    pub fn complaint_bytes(&mut self, bytes: &[u8]) {
        if !self.err_terminal {
            let _ = self.err.write_all(bytes);
            let _ = self.err.flush();
            return;
        }
        for line in String::from_utf8_lossy(bytes).lines() {
            let text = plain(&line.replace('\t', "    "));
            self.complaint(&format!("{text}\n"));
        }
    }

    /// Text on standard error, as it is.
    pub fn complaint(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes());
        let _ = self.err.flush();
    }
}

/// What a printer to memory printed.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    out: Buffer,
    err: Buffer,
}

impl Captured {
    /// Standard output so far.
    pub fn out(&self) -> String {
        self.out.text()
    }

    /// Standard error so far.
    pub fn err(&self) -> String {
        self.err.text()
    }
}

#[derive(Debug, Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
