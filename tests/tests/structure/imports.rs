//! Which file of a crate takes names from which, as far as its source says so.
//!
//! Read are `use` and every path written out, through re-exports and aliases to the
//! file that defines the name. What a module takes from the modules around it is left
//! out: it is a part of them. So is `#[cfg(test)]`. Not seen: a call of another file's
//! method or a field whose type is never named, a name that only a glob brings in (the
//! glob counts for the module it names), and what macros make.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From a file to the files it takes names from, and which names.
pub type Imports = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// A path from the crate's root.
type Route = Vec<String>;

#[derive(Default)]
struct Module {
    file: PathBuf,
    /// Local names, each with where a `use` leads it.
    aliases: BTreeMap<String, Route>,
    globs: Vec<Route>,
    /// What the code names, as it is written.
    mentions: BTreeSet<Route>,
    /// Names imported for the file's own use, not handed on.
    own: BTreeSet<String>,
}

/// The modules of one crate.
#[derive(Default)]
struct Crate {
    modules: BTreeMap<Route, Module>,
}

/// Reads the crate whose root is this file.
pub fn read(root: &Path) -> Imports {
    let mut all = Crate::default();
    let directory = root.parent().expect("a file has a directory");
    all.read_file(root, directory, Vec::new());
    all.imports()
}

/// The sets of files that reach each other, the smallest way to say "circle".
pub fn circles(imports: &Imports) -> Vec<Vec<PathBuf>> {
    let reached = |from: &PathBuf| {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![from.clone()];
        while let Some(file) = waiting.pop() {
            for next in imports.get(&file).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(next.clone()) {
                    waiting.push(next.clone());
                }
            }
        }
        seen
    };
    let all: BTreeMap<_, _> = imports.keys().map(|file| (file, reached(file))).collect();
    let mut found = BTreeSet::new();
    for (file, seen) in &all {
        let circle: Vec<PathBuf> = seen
            .iter()
            .filter(|other| all.get(other).is_some_and(|back| back.contains(*file)))
            .cloned()
            .collect();
        if !circle.is_empty() {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

impl Crate {
    fn read_file(&mut self, file: &Path, children: &Path, at: Route) {
        let text = fs::read_to_string(file).expect("source is readable");
        let tokens: TokenStream = text
            .parse()
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.read_module(file, children, at, tokens);
    }

    fn read_module(&mut self, file: &Path, children: &Path, at: Route, tokens: TokenStream) {
        let module = self.modules.entry(at.clone()).or_default();
        module.file = file.into();
        let mut reader = Reader::default();
        reader.read(tokens);
        for (name, body) in reader.modules {
            let at = [at.as_slice(), std::slice::from_ref(&name)].concat();
            if let Some(body) = body {
                self.read_module(file, &children.join(&name), at, body);
            } else {
                let beside = children.join(&name);
                let source = children.join(format!("{name}.rs"));
                self.read_file(&source, &beside, at);
            }
        }
        let absolute = |route: &Route| self.absolute(&at, route);
        let uses: Vec<_> = reader
            .uses
            .iter()
            .filter_map(|used| Some((used, absolute(&used.route)?)))
            .collect();
        let mut aliases = BTreeMap::new();
        let (mut globs, mut own) = (Vec::new(), BTreeSet::new());
        for (used, route) in uses {
            match &used.name {
                Some(name) => {
                    aliases.insert(name.clone(), route);
                    if !used.handed_on {
                        own.insert(name.clone());
                    }
                }
                None => globs.push(route),
            }
        }
        let module = self.modules.entry(at).or_default();
        module.aliases = aliases;
        module.globs = globs;
        module.own = own;
        module.mentions = reader.mentions;
    }

    /// A path of a `use`, from the crate's root; none when it leads out of the crate.
    fn absolute(&self, at: &[String], route: &[String]) -> Option<Route> {
        let mut from: Route = at.to_vec();
        let mut rest = route;
        match rest.first()?.as_str() {
            "crate" => {
                from.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    from.pop();
                    rest = &rest[1..];
                }
            }
            first => {
                let child = [at, &[first.to_owned()]].concat();
                self.modules.get(&child)?;
            }
        }
        from.extend_from_slice(rest);
        Some(from)
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (at, module) in &self.modules {
            let from = imports.entry(module.file.clone()).or_default();
            let own = module.own.iter().map(|name| vec![name.clone()]);
            let routes = own
                .chain(module.mentions.iter().cloned())
                .filter_map(|route| {
                    let first = route.first()?;
                    let mut begun = match module.aliases.get(first) {
                        Some(alias) => {
                            let mut begun = alias.clone();
                            begun.extend_from_slice(&route[1..]);
                            begun
                        }
                        None => self.absolute(at, &route)?,
                    };
                    if begun.last().is_some_and(|name| name == "self") {
                        begun.pop();
                    }
                    Some(begun)
                });
            for route in routes {
                if let Some((file, name)) = self.definition(&route, 0)
                    && !self.is_around(file, at)
                {
                    from.entry(file.clone()).or_default().insert(name);
                }
            }
            for glob in &module.globs {
                if let Some(other) = self.modules.get(glob)
                    && !self.is_around(&other.file, at)
                {
                    from.entry(other.file.clone())
                        .or_default()
                        .insert("*".to_owned());
                }
            }
        }
        imports
    }

    /// Whether a file is the module's own or that of a module around it.
    fn is_around(&self, file: &Path, at: &[String]) -> bool {
        (0..=at.len()).any(|length| {
            self.modules
                .get(&at[..length])
                .is_some_and(|module| module.file == file)
        })
    }

    /// The file that defines what a path leads to, and its name there. A module alone
    /// is nothing that could be taken.
    fn definition(&self, route: &[String], depth: usize) -> Option<(&PathBuf, String)> {
        let mut at = Vec::new();
        for (index, name) in route.iter().enumerate() {
            let module = self.modules.get(&at)?;
            at.push(name.clone());
            if self.modules.contains_key(&at) {
                continue;
            }
            if let Some(alias) = module.aliases.get(name)
                && depth < 16
            {
                let further = [alias.as_slice(), &route[index + 1..]].concat();
                return self.definition(&further, depth + 1);
            }
            return Some((&module.file, name.clone()));
        }
        None
    }
}

/// One name that a `use` brings in.
struct Use {
    route: Route,
    /// `None`: a glob.
    name: Option<String>,
    /// Whether others may take it from here: `pub use` and `pub(…) use`.
    handed_on: bool,
}

/// What is written in one module.
#[derive(Default)]
struct Reader {
    /// Those in files of their own have no body here.
    modules: Vec<(String, Option<TokenStream>)>,
    uses: Vec<Use>,
    mentions: BTreeSet<Route>,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let mut handed_on = false;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == '#' && is_test(tokens.get(at + 1)) => {
                    at = after_item(&tokens, at + 2);
                    continue;
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = at + end_of_statement(&tokens[at..]);
                    self.read_use(&tokens[at + 1..end], &[], handed_on);
                    at = end;
                    handed_on = false;
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
                        let body = match tokens.get(at + 2) {
                            Some(TokenTree::Group(body)) => Some(body.stream()),
                            _ => None,
                        };
                        self.modules.push((name.to_string(), body));
                        at += 2;
                    }
                    handed_on = false;
                }
                TokenTree::Ident(word) if word == "pub" => {
                    handed_on = true;
                    let scope = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis);
                    if tokens.get(at + 1).is_some_and(scope) {
                        at += 1;
                    }
                }
                TokenTree::Ident(_) => {
                    handed_on = false;
                    let is_member = at > 0
                        && matches!(&tokens[at - 1], TokenTree::Punct(mark) if mark.as_char() == '.');
                    let (route, end) = path(&tokens, at);
                    if !is_member {
                        self.mentions.insert(route);
                    }
                    at = end;
                    continue;
                }
                TokenTree::Group(group) => self.read(group.stream()),
                _ => {}
            }
            at += 1;
        }
    }

    /// The tree of one `use`, without the word and the semicolon.
    fn read_use(&mut self, tokens: &[TokenTree], before: &[String], handed_on: bool) {
        let mut route = before.to_vec();
        let mut name = None;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    name = tokens.get(at + 1).map(ToString::to_string);
                    at += 1;
                }
                TokenTree::Ident(word) => route.push(word.to_string()),
                TokenTree::Punct(mark) if mark.as_char() == '*' => {
                    self.uses.push(Use {
                        route,
                        name: None,
                        handed_on,
                    });
                    return;
                }
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
                    for part in inner.split(comma).filter(|part| !part.is_empty()) {
                        self.read_use(part, &route, handed_on);
                    }
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        if route.len() > 1 && route.last().is_some_and(|last| last == "self") {
            route.pop();
        }
        let name = name.or_else(|| route.last().cloned());
        self.uses.push(Use {
            route,
            name,
            handed_on,
        });
    }
}

/// The path that begins here, and where the tokens go on.
fn path(tokens: &[TokenTree], start: usize) -> (Route, usize) {
    let mut route = vec![tokens[start].to_string()];
    let mut at = start + 1;
    let is_colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
    while is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1)) {
        let Some(TokenTree::Ident(name)) = tokens.get(at + 2) else {
            break;
        };
        route.push(name.to_string());
        at += 3;
    }
    (route, at)
}

fn is_test(attribute: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = attribute else {
        return false;
    };
    let written = group.stream().to_string().replace(' ', "");
    written == "cfg(test)" || written == "test"
}

fn end_of_statement(tokens: &[TokenTree]) -> usize {
    tokens
        .iter()
        .position(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';'))
        .unwrap_or(tokens.len())
}

/// Past the item that begins here: its braces or its semicolon.
fn after_item(tokens: &[TokenTree], start: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Punct(mark) => mark.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    let end = tokens[start..].iter().position(ends);
    end.map_or(tokens.len(), |end| start + end + 1)
}
