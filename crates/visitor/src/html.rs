//! A page read in one pass, whatever it is made of.
//!
//! The page is a stranger's: it is read as tokens, not as a tree, so that a million open
//! elements cost a million steps and no more, and nothing here calls itself.

use crate::{
    address::{self, Home, Place},
    facts::{Button, Facts, FileKind, FileRef, Form, ShopPage},
};
use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use std::collections::BTreeSet;
use url::Url;

/// Bytes of a page that are read.
pub const LIMIT: usize = 2 << 20;
/// Open elements that are remembered; what is deeper counts as visible as its parent.
const DEPTH: usize = 256;
/// How far an end tag looks for what it ends.
const REACH: usize = 64;
/// A page says no more than this of each kind.
const FORMS: usize = 20;
const FIELDS: usize = 60;
const BUTTONS: usize = 60;
const FILES: usize = 200;
const LINKS: usize = 400;
const NAME: usize = 120;

/// Elements that have no end tag.
const VOID: [&[u8]; 14] = [
    b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"param",
    b"source", b"track", b"wbr",
];
/// Classes and ids of what a shop cannot sell without.
const SELLS: [&str; 6] = [
    "place_order",
    "single_add_to_cart_button",
    "add_to_cart_button",
    "checkout-button",
    "wc-block-cart__submit-button",
    "wc-block-components-checkout-place-order-button",
];
/// Where a shop tells its scripts which page is which.
const SHOP_HINTS: [(&str, ShopPage); 3] = [
    ("\"cart_url\":\"", ShopPage::Cart),
    ("\"checkout_url\":\"", ShopPage::Checkout),
    ("\"shop_url\":\"", ShopPage::Shop),
];

struct Open {
    name: Vec<u8>,
    is_hidden: bool,
}

/// Reads a page that was found at `at`.
pub fn read(body: &[u8], home: &Home, at: &Url) -> Facts {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut page = Page {
        home,
        base: at.clone(),
        facts: Facts::default(),
        open: Vec::new(),
        beyond: 0,
        form: None,
        button: None,
        after_space: true,
    };
    for token in Tokenizer::new_with_emitter(&body[..body.len().min(LIMIT)], emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => page.start(&tag),
            Token::EndTag(tag) => page.end(&tag.name),
            Token::String(text) => page.text(&text),
            _ => {}
        }
    }
    page.close_form();
    page.close_button();
    page.facts
}

struct Page<'a> {
    home: &'a Home,
    base: Url,
    facts: Facts,
    open: Vec<Open>,
    /// Open elements that are too deep to be remembered.
    beyond: usize,
    form: Option<Form>,
    /// A button that is open, and the text in it so far.
    button: Option<(Vec<u8>, Button)>,
    after_space: bool,
}

fn value<'a>(tag: &'a StartTag<()>, name: &str) -> Option<std::borrow::Cow<'a, str>> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value))
}

impl Page<'_> {
    fn is_hidden(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_hidden)
    }

    fn within(&self, name: &[u8]) -> bool {
        self.open.iter().rev().take(4).any(|open| open.name == name)
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let hides = hides(tag);
        let is_hidden = hides || self.is_hidden();
        match &tag.name[..] {
            b"base" => {
                if let Some(base) = value(tag, "href").and_then(|href| self.base.join(&href).ok()) {
                    self.base = base;
                }
            }
            b"body" => self.body(tag),
            b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => self.facts.headings += 1,
            b"a" => self.link(tag, is_hidden),
            b"link" => self.linked(tag),
            b"script" => match value(tag, "src") {
                Some(src) => self.file(FileKind::Script, &src),
                None => self.facts.inline_scripts += 1,
            },
            b"img" => {
                self.facts.pictures += 1;
                if let Some(src) = value(tag, "src") {
                    self.file(FileKind::Picture, &src);
                }
            }
            b"video" | b"canvas" | b"svg" | b"iframe" | b"object" | b"embed" => {
                self.facts.pictures += 1;
            }
            b"form" => self.open_form(tag, is_hidden),
            b"input" | b"select" | b"textarea" => self.field(tag, is_hidden),
            b"button" => self.press(tag, is_hidden),
            _ => {}
        }
        if VOID.contains(&&tag.name[..]) || tag.self_closing && &tag.name[..] == b"path" {
            return;
        }
        if self.open.len() >= DEPTH {
            self.beyond += 1;
            return;
        }
        self.open.push(Open {
            name: tag.name.to_vec(),
            is_hidden,
        });
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"html" => self.facts.complete = true,
            b"form" => self.close_form(),
            _ => {}
        }
        if self.button.as_ref().is_some_and(|(tag, _)| tag == name) {
            self.close_button();
        }
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let found = self
            .open
            .iter()
            .rev()
            .take(REACH)
            .position(|open| open.name == name);
        if let Some(above) = found {
            self.open.truncate(self.open.len() - above - 1);
        }
    }

    fn text(&mut self, text: &[u8]) {
        let inside = self.open.last().map(|open| &open.name[..]);
        match inside {
            Some(b"title") if self.facts.title.is_none() && !self.within(b"svg") => {
                self.facts.title = Some(short(String::from_utf8_lossy(text).trim(), 200));
                return;
            }
            Some(b"style") => {
                self.facts.inline_style += text.len() as u64;
                return;
            }
            Some(b"script") => {
                self.script(text);
                return;
            }
            Some(b"title" | b"noscript" | b"template" | b"iframe") => return,
            _ => {}
        }
        if let Some((_, button)) = &mut self.button
            && button.name.len() < NAME
        {
            let text = String::from_utf8_lossy(text);
            if button.name.is_empty() {
                button.name = short(text.trim(), NAME);
            }
        }
        if self.is_hidden() {
            return;
        }
        for character in String::from_utf8_lossy(text).chars() {
            let is_space = character.is_whitespace();
            if !(is_space && self.after_space) {
                self.facts.text += 1;
            }
            self.after_space = is_space;
        }
    }

    fn script(&mut self, text: &[u8]) {
        if self.facts.shop.len() >= SHOP_HINTS.len() {
            return;
        }
        let text = String::from_utf8_lossy(text);
        for (hint, page) in SHOP_HINTS {
            let Some(at) = text.find(hint) else { continue };
            let rest = &text[at + hint.len()..];
            let address = rest.split('"').next().unwrap_or_default();
            let address = address.replace("\\/", "/");
            if let Some(Place::Own(place)) = self.home.place(&self.base, &address) {
                self.facts.shop.push((page, place));
            }
        }
    }

    fn body(&mut self, tag: &StartTag<()>) {
        self.facts.is_error_page |= value(tag, "id").as_deref() == Some("error-page");
        let classes = value(tag, "class").unwrap_or_default();
        self.facts.template.extend(
            classes
                .split_whitespace()
                .filter(|class| tells_template(class))
                .take(12)
                .map(|class| short(class, 80)),
        );
    }

    fn link(&mut self, tag: &StartTag<()>, is_hidden: bool) {
        let Some(href) = value(tag, "href") else {
            return;
        };
        self.facts.links += 1;
        if let Some((_, number)) = href.split_once("add-to-cart=") {
            self.product(number);
        }
        if let Some(Place::Own(place)) = self.home.place(&self.base, &href)
            && self.facts.own_links.len() < LINKS
        {
            self.facts.own_links.push(place);
        }
        let names = names(tag);
        if !is_hidden && let Some(name) = SELLS.iter().find(|name| names.contains(**name)) {
            self.keep_button((*name).to_owned(), true);
        }
    }

    fn linked(&mut self, tag: &StartTag<()>) {
        let (Some(rel), Some(href)) = (value(tag, "rel"), value(tag, "href")) else {
            return;
        };
        let rel = rel.to_ascii_lowercase();
        let rels: Vec<&str> = rel.split_whitespace().collect();
        if rels.contains(&"stylesheet") && !rels.contains(&"alternate") {
            self.file(FileKind::Style, &href);
        } else if rels.contains(&"preload") && value(tag, "as").as_deref() == Some("font") {
            self.file(FileKind::Font, &href);
        }
    }

    fn file(&mut self, kind: FileKind, reference: &str) {
        if self.facts.files.len() >= FILES {
            return;
        }
        let Some(Place::Own(place)) = self.home.place(&self.base, reference) else {
            return;
        };
        let Ok(url) = self.base.join(reference.trim()) else {
            return;
        };
        self.facts.files.insert(FileRef {
            kind,
            place,
            asked: address::asked(&url),
        });
    }

    fn open_form(&mut self, tag: &StartTag<()>, is_hidden: bool) {
        self.close_form();
        let action = value(tag, "action")
            .and_then(|action| self.home.place(&self.base, &action))
            .map(|place| place.as_str().to_owned())
            .unwrap_or_default();
        let named = ["id", "name"].into_iter().find_map(|name| {
            value(tag, name)
                .filter(|value| !value.is_empty())
                .map(|value| short(&value, NAME))
        });
        let method = value(tag, "method").unwrap_or_default();
        self.form = Some(Form {
            name: named.unwrap_or_else(|| action.clone()),
            action,
            method: if method.eq_ignore_ascii_case("post") {
                "post".to_owned()
            } else {
                "get".to_owned()
            },
            is_hidden,
            ..Form::default()
        });
    }

    fn close_form(&mut self) {
        if let Some(form) = self.form.take()
            && self.facts.forms.len() < FORMS
        {
            self.facts.forms.push(form);
        }
    }

    fn field(&mut self, tag: &StartTag<()>, is_hidden: bool) {
        let kind = if &tag.name[..] == b"input" {
            value(tag, "type").unwrap_or_default().to_ascii_lowercase()
        } else {
            String::new()
        };
        match kind.as_str() {
            "hidden" => {}
            "submit" | "image" | "button" => self.press(tag, is_hidden),
            _ => {
                let Some(form) = &mut self.form else { return };
                let Some(name) = value(tag, "name").filter(|name| !name.is_empty()) else {
                    return;
                };
                let fields = if is_hidden {
                    &mut form.unseen
                } else {
                    &mut form.fields
                };
                if fields.len() < FIELDS {
                    fields.insert(short(&name, NAME));
                }
            }
        }
    }

    fn press(&mut self, tag: &StartTag<()>, is_hidden: bool) {
        let is_input = &tag.name[..] == b"input";
        let kind = value(tag, "type").unwrap_or_default().to_ascii_lowercase();
        if is_hidden {
            return;
        }
        let sends = if is_input {
            kind == "submit" || kind == "image"
        } else {
            kind != "button" && kind != "reset"
        };
        if let Some(form) = &mut self.form {
            form.has_submit |= sends;
        }
        if value(tag, "name").as_deref() == Some("add-to-cart") {
            self.product(&value(tag, "value").unwrap_or_default());
        }
        let names = names(tag);
        let sells = SELLS.iter().find(|name| names.contains(**name));
        let name = sells.map(|name| (*name).to_owned()).or_else(|| {
            ["id", "name", "aria-label"]
                .into_iter()
                .chain(is_input.then_some("value"))
                .find_map(|name| {
                    value(tag, name)
                        .filter(|value| !value.is_empty())
                        .map(|value| short(&value, NAME))
                })
        });
        let sells = sells.is_some();
        match name {
            Some(name) => self.keep_button(name, sells),
            // Known by its text, once it was read.
            None if !is_input => {
                self.close_button();
                let button = Button {
                    name: String::new(),
                    sells,
                };
                self.button = Some((tag.name.to_vec(), button));
            }
            None => {}
        }
    }

    /// Remembers the number of something that can be bought.
    fn product(&mut self, number: &str) {
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        if (1..=12).contains(&digits) && self.facts.product.is_none() {
            self.facts.product = Some(number[..digits].to_owned());
        }
    }

    fn close_button(&mut self) {
        if let Some((_, button)) = self.button.take()
            && !button.name.is_empty()
        {
            self.keep_button(button.name, button.sells);
        }
    }

    fn keep_button(&mut self, name: String, sells: bool) {
        if self.facts.buttons.len() < BUTTONS {
            self.facts.buttons.insert(Button { name, sells });
        }
    }
}

/// `id`, `name` and classes of an element.
fn names(tag: &StartTag<()>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for attribute in ["id", "name", "class"] {
        let value = value(tag, attribute).unwrap_or_default();
        names.extend(
            value
                .split_whitespace()
                .take(40)
                .map(|name| short(name, 80)),
        );
    }
    names
}

/// Whether the element says of itself that nobody is to see it.
fn hides(tag: &StartTag<()>) -> bool {
    if tag.attributes.contains_key(&b"hidden"[..]) {
        return true;
    }
    let Some(style) = value(tag, "style") else {
        return false;
    };
    let style: String = style
        .chars()
        .take(2000)
        .filter(|sign| !sign.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase();
    style.contains("display:none") || style.contains("visibility:hidden")
}

/// Classes with which WordPress and WooCommerce say what made a page, without those that
/// say which one it is.
fn tells_template(class: &str) -> bool {
    const BEGIN: [&str; 9] = [
        "page-template",
        "single",
        "post-type-archive",
        "archive",
        "tax-",
        "category",
        "tag",
        "author",
        "woocommerce",
    ];
    const ARE: [&str; 6] = ["home", "blog", "page", "attachment", "error404", "search"];
    let numbered = class
        .rsplit('-')
        .next()
        .is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()));
    // `category-news` and `author-ann` are one of many; `tax-colour` is a template's.
    let one_of_many = ["category-", "tag-", "author-"]
        .iter()
        .any(|begin| class.starts_with(begin));
    !numbered
        && !one_of_many
        && (ARE.contains(&class) || BEGIN.iter().any(|begin| class.starts_with(begin)))
}

/// The beginning of a stranger's text, without signs that are not to be shown.
pub fn short(text: &str, limit: usize) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(limit)
        .collect()
}

#[cfg(test)]
mod tests;
