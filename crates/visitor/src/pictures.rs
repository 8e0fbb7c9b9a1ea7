//! Pages as a browser shows them.
//!
//! Real Chromium shows a page; everything it asks of the site goes through the look's own
//! [`Channel`], everything else is refused, so that a clone without an address can be looked
//! at, and nobody outside is asked for anything. What moves by itself is held still: clocks,
//! chance, animations.

mod answer;
mod camera;
mod differ;
mod show;
mod shrink;

pub use camera::Camera;
pub use differ::{Difference, compare_pictures};
pub use shrink::shrink;

use crate::impression::{Chosen, Shot};
use std::{collections::BTreeMap, io, time::Duration};

/// Further looks at a page that is not as it was.
const AGAIN: usize = 2;

/// A picture, to be kept by whoever keeps things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The name that the [`Shot`] has for it.
    pub name: String,
    /// A PNG file.
    pub png: Vec<u8>,
}

/// Why a picture was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The browser did not start, with what it said.
    #[error("Chromium does not start: {0}")]
    Start(String),
    /// The browser ended or did not do what it was told.
    #[error("Chromium failed: {0}")]
    Browser(String),
    /// The page did not come to rest in time.
    #[error("the page is not shown within {0} s")]
    Late(u64),
    /// There is no place for the browser's profile.
    #[error("there is no place for a profile: {0}")]
    Profile(#[from] io::Error),
}

impl From<chromiumoxide::error::CdpError> for Error {
    fn from(error: chromiumoxide::error::CdpError) -> Self {
        Self::Browser(crate::html::short(&error.to_string(), 300))
    }
}

/// What is to be shown.
pub(crate) struct Wanted {
    /// The pages; the first one on a phone too.
    pub(crate) pages: Vec<Chosen>,
    /// How often each, at most; two that are alike are enough.
    pub(crate) shots: usize,
    /// Those of an earlier look: one that is like one of them is enough.
    pub(crate) known: Vec<Shot>,
    /// How long one request may take.
    pub(crate) timeout: Duration,
}

impl Wanted {
    /// How often a page is shown at most. One that is not as it was is shown more often: it
    /// may change by itself, and have hidden that before.
    fn most(&self) -> usize {
        if self.known.is_empty() {
            self.shots
        } else {
            self.shots + AGAIN
        }
    }

    /// Whether this one, after these, says all there is to know of its page.
    fn is_enough(&self, shot: &Shot, taken: &[Shot]) -> bool {
        let earlier = if self.known.is_empty() {
            taken
        } else {
            &self.known
        };
        earlier.iter().any(|earlier| shot.is_like(earlier))
    }
}

/// What was.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) shots: Vec<Shot>,
    pub(crate) pictures: Vec<Picture>,
    /// Pages that could not be shown, and why.
    pub(crate) failed: BTreeMap<String, String>,
}
