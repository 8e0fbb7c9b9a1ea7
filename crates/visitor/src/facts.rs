//! What a page tells, as facts that can be kept and compared.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an HTML page is made of. Lists are bounded; what is over the bound is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Content of `<title>`.
    pub title: Option<String>,
    /// Whether it was written to its end: it has `</html>`.
    pub complete: bool,
    /// Characters a person could read, runs of white space counted once.
    pub text: u64,
    /// `<h1>` to `<h6>`.
    pub headings: u32,
    /// Links, to anywhere.
    pub links: u32,
    /// Pictures and other things that are not text.
    pub pictures: u32,
    /// Its forms, in their order.
    pub forms: Vec<Form>,
    /// Buttons outside of forms and inside, by name.
    pub buttons: BTreeSet<Button>,
    /// Files of the site itself that it is made with.
    pub files: BTreeSet<FileRef>,
    /// Scripts written into it.
    pub inline_scripts: u32,
    /// Bytes of style written into it.
    pub inline_style: u64,
    /// The classes of `<body>` that tell which template made it.
    pub template: BTreeSet<String>,
    /// Whether it is what `wp_die` shows.
    pub is_error_page: bool,
    /// Links into the site, to choose pages from; not kept.
    #[serde(skip)]
    pub own_links: Vec<String>,
    /// The addresses of shop pages that its scripts are told; not kept.
    #[serde(skip)]
    pub shop: Vec<(ShopPage, String)>,
    /// Something that can be put into a cart by its number; not kept.
    #[serde(skip)]
    pub product: Option<String>,
}

/// A page of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopPage {
    /// What is sold.
    Shop,
    /// What was put into the cart.
    Cart,
    /// Where it is paid.
    Checkout,
}

/// A form as a visitor sees it. Fields that are hidden by their type (tokens, ids) are not
/// a part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Its `id` or `name`, otherwise where it is sent to.
    pub name: String,
    /// Where it is sent to.
    pub action: String,
    /// `get` or `post`.
    pub method: String,
    /// Fields a person can see, by name.
    pub fields: BTreeSet<String>,
    /// Fields that are there and not to be seen, by name: hidden by `style` or `hidden`.
    pub unseen: BTreeSet<String>,
    /// Whether a person can send it.
    pub has_submit: bool,
    /// Whether all of it is hidden.
    pub is_hidden: bool,
}

/// Something to press.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Button {
    /// Its `id`, `name`, telling class or text.
    pub name: String,
    /// Whether a shop cannot sell without it.
    pub sells: bool,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A stylesheet.
    Style,
    /// A script.
    Script,
    /// A font.
    Font,
    /// A picture.
    Picture,
}

/// A file that a page names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileRef {
    /// What it is for.
    pub kind: FileKind,
    /// Where it is, below the site; without what only says how fresh it is.
    pub place: String,
    /// As it is asked for; not kept.
    #[serde(skip)]
    pub asked: String,
}
