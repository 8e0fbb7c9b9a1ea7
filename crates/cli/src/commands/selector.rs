//! What is said of a selector that is not understood.

use crate::{Failure, Printer};
use pressroom_fleet::{Error, selector::Selector};

/// A selector that is not understood is shown with its fault marked.
pub(super) fn refusal(text: &str, error: Error) -> Failure {
    let Err(fault) = text.parse::<Selector>() else {
        return error.into();
    };
    let shown = fault.render(text).replace('\n', "\n  ");
    Failure::usage(format!("the selector is not understood\n\n  {shown}"))
}

/// Says beside the answer what may be missing in it, and what may be wrong with the question.
pub(super) fn doubts(undecided: usize, hint: Option<&str>, printer: &mut Printer) {
    match undecided {
        0 => {}
        1 => printer.note("1 more site may match: what was asked is not known of it"),
        many => printer.note(&format!(
            "{many} more sites may match: what was asked is not known of them"
        )),
    }
    if let Some(hint) = hint {
        printer.note(hint);
    }
}
