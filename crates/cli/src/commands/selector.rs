//! What is said of a selector that is not understood.

use crate::Failure;
use pressroom_fleet::{Error, selector::Selector};

/// A selector that is not understood is shown with its fault marked.
pub(super) fn refusal(text: &str, error: Error) -> Failure {
    let Err(fault) = text.parse::<Selector>() else {
        return error.into();
    };
    let shown = fault.render(text).replace('\n', "\n  ");
    Failure::usage(format!("the selector is not understood\n\n  {shown}"))
}
