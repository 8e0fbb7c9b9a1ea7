//! What a look saw: facts and hashes, bounded, as they are kept.

use crate::{
    facts::{Facts, FileKind},
    marks::Marks,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A look at a site.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Impression {
    /// The site's address.
    pub home: String,
    /// The pages, in the order they were chosen.
    pub pages: Vec<Page>,
    /// Files of the site that pages are made with, each asked for once.
    pub files: Vec<File>,
    /// The index of its REST API; `None` where there is none.
    pub rest: Option<Rest>,
    /// What Chromium saw.
    pub pictures: Pictures,
    /// How long the look took.
    pub ms: u64,
}

impl Impression {
    /// Which pages were chosen, and why.
    pub fn chosen(&self) -> impl Iterator<Item = &Chosen> {
        self.pages.iter().map(|page| &page.chosen)
    }

    /// The look at a page that was chosen like this one.
    pub fn page(&self, chosen: &Chosen) -> Option<&Page> {
        self.pages.iter().find(|page| page.chosen == *chosen)
    }
}

/// What a page is for, and so how it came to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    /// Somebody wants it looked at.
    Configured,
    /// One of its kind, from the sitemap or the front page's links.
    Sitemap,
    /// The login page.
    Login,
    /// wp-admin.
    Admin,
    /// An entrance to wp-admin that needs no sign-in but loads what loads there.
    AdminEndpoint,
    /// The index of the REST API.
    Rest,
    /// The feed.
    Feed,
    /// An address that is none.
    NotFound,
    /// The search.
    Search,
    /// What a shop sells.
    Shop,
    /// A shop's cart.
    Cart,
    /// A shop's check-out.
    Checkout,
    /// What starts WordPress' scheduled tasks.
    Cron,
}

impl PageKind {
    /// Whether only people who work on the site come here.
    pub const fn is_admin(self) -> bool {
        matches!(self, Self::Admin | Self::AdminEndpoint)
    }

    /// Whether it is a page to look at, with text and pictures.
    pub const fn is_shown(self) -> bool {
        !matches!(
            self,
            Self::AdminEndpoint | Self::Rest | Self::Feed | Self::Cron
        )
    }
}

/// A page that is looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Chosen {
    /// Path and query.
    pub address: String,
    /// What it is for.
    pub kind: PageKind,
    /// What is asked for first, by the same visitor: what puts something into the cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
}

impl Chosen {
    /// A page without a way to it.
    pub fn new(address: impl Into<String>, kind: PageKind) -> Self {
        Self {
            address: address.into(),
            kind,
            first: None,
        }
    }
}

/// A page, and each time it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Which.
    pub chosen: Chosen,
    /// As PHP made it, past all caches.
    pub alive: Vec<Seen>,
    /// As visitors got it, from whatever cache.
    pub served: Vec<Seen>,
}

impl Page {
    /// The shortest time until an answer began that PHP made.
    pub fn fastest(&self) -> Option<u64> {
        let answered = self.alive.iter().filter(|seen| seen.has_answered());
        answered.map(|seen| seen.ttfb_ms).min()
    }
}

/// One answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// HTTP status in the end; `None` when nothing answered.
    pub status: Option<u16>,
    /// Why nothing answered.
    pub error: Option<String>,
    /// Where the visitor was sent, step by step.
    pub chain: Vec<String>,
    /// Whether that goes round and round.
    pub is_loop: bool,
    /// Bytes of the body, as far as it was read.
    pub bytes: u64,
    /// Whether there was more of it.
    pub cut: bool,
    /// Until the last answer began.
    pub ttfb_ms: u64,
    /// What a cache says of itself.
    pub cache: Option<String>,
    /// What the body is.
    pub content: Content,
    /// Signs of trouble in it.
    pub marks: Marks,
}

impl Seen {
    /// Whether anything came back.
    pub const fn has_answered(&self) -> bool {
        self.status.is_some() && self.error.is_none()
    }

    /// Whether both say the same; how long it took may differ.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let as_fast = Self {
            ttfb_ms: other.ttfb_ms,
            bytes: other.bytes,
            ..self.clone()
        };
        as_fast == *other
    }

    /// Where the visitor came out; `None` without a redirect.
    pub fn end(&self) -> Option<&str> {
        self.chain.last().map(String::as_str)
    }

    /// What the page is made of, where it is one.
    pub const fn facts(&self) -> Option<&Facts> {
        match &self.content {
            Content::Html(facts) => Some(facts),
            _ => None,
        }
    }
}

/// What a body is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Nothing, or something that is not looked into.
    #[default]
    Other,
    /// A page.
    Html(Box<Facts>),
    /// JSON, or what should be.
    Json {
        /// Whether it can be read.
        is_valid: bool,
    },
    /// A feed, or what should be.
    Feed {
        /// Whether it can be read, and is one.
        is_valid: bool,
        /// Its entries.
        items: u32,
    },
}

/// A file that pages are made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What it is for.
    pub kind: FileKind,
    /// Where it is, without what only says how fresh it is.
    pub place: String,
    /// HTTP status; `None` when nothing answered.
    pub status: Option<u16>,
    /// Its bytes, as far as they were read.
    pub bytes: u64,
    /// Why it is of no use although it is there.
    pub fault: Option<Fault>,
}

/// What is wrong with a file that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// There is nothing in it.
    Empty,
    /// It is a page, most likely one that says that it is not there.
    IsPage,
}

impl File {
    /// Why it is of no use.
    pub fn trouble(&self) -> Option<String> {
        match (self.status, self.fault) {
            (None, _) => Some("no answer".to_owned()),
            (Some(status), _) if !(200..300).contains(&status) => Some(format!("status {status}")),
            (_, Some(Fault::Empty)) => Some("empty".to_owned()),
            (_, Some(Fault::IsPage)) => Some("a page instead of the file".to_owned()),
            _ => None,
        }
    }
}

/// The index of the REST API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rest {
    /// Its namespaces.
    pub namespaces: BTreeSet<String>,
    /// Its routes.
    pub routes: BTreeSet<String>,
}

/// What Chromium saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pictures {
    /// Nobody wanted any.
    #[default]
    NotWanted,
    /// There are none, or not all.
    NotMade {
        /// Why.
        why: String,
    },
    /// There are.
    Made {
        /// One entry for each picture.
        shots: Vec<Shot>,
        /// Pages that could not be shown, and why.
        #[serde(default)]
        failed: BTreeMap<String, String>,
    },
}

/// A screen that pages are shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    /// Wide.
    Desktop,
    /// Narrow.
    Phone,
}

impl Screen {
    /// Width and height in CSS pixels.
    pub const fn size(self) -> (u32, u32) {
        match self {
            Self::Desktop => (1280, 900),
            Self::Phone => (390, 844),
        }
    }

    /// For names of pictures.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Phone => "phone",
        }
    }
}

/// A page as Chromium showed it once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// What the picture is called.
    pub name: String,
    /// The page.
    pub page: String,
    /// On which screen.
    pub screen: Screen,
    /// Pixels of the picture.
    pub width: u32,
    /// Pixels of the picture.
    pub height: u32,
    /// SHA-256 of the PNG, in hexadecimal.
    pub sha256: String,
    /// Exceptions that no script caught.
    pub exceptions: BTreeSet<String>,
    /// What scripts complained about.
    pub complaints: BTreeSet<String>,
    /// What was asked of the site and did not arrive, with its status.
    pub failed: BTreeMap<String, Failed>,
    /// Fields and buttons, and whether they can be seen.
    pub controls: BTreeMap<String, bool>,
    /// Where things stand.
    pub anchors: Vec<Anchor>,
    /// What lies over the page.
    pub overlays: Vec<Area>,
    /// Whether something lies over all links, buttons and fields of the window.
    #[serde(default)]
    pub is_shut: bool,
}

impl Shot {
    /// Whether both show the same, to the last pixel and the last message.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let named = Self {
            name: other.name.clone(),
            ..self.clone()
        };
        named == *other
    }
}

/// A request of a page that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// HTTP status; 0 when nothing answered.
    pub status: u16,
    /// Whether the page is made with it: a stylesheet or a script.
    pub is_needed: bool,
}

/// A rectangle in CSS pixels, from the page's top left corner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// To the right.
    pub width: f64,
    /// Downwards.
    pub height: f64,
}

/// Something on a page that is likely to be found again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// What it is: element, name and the beginning of its text, as a hash.
    pub key: String,
    /// Where it stands.
    #[serde(flatten)]
    pub area: Area,
}
