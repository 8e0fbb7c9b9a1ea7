//! Following a file's statements without running them.
//!
//! Every place where PHP could go one way or the other is followed both ways and the
//! outcomes joined: what differs is unknown. What is not understood is looked
//! through for anything it could define or change.

mod value;

use super::{
    Place, Value, WpConfig,
    syntax::{Block, Definition, Expression, File, Node, Statement},
};
use crate::tokens::{Lexeme, Token};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    ops::Range,
};

/// Constants that WordPress' own entry points or tools may have defined before this
/// file is read.
const EARLIER: [&[u8]; 22] = [
    b"ABSPATH",
    b"WP_USE_THEMES",
    b"WP_ADMIN",
    b"WP_NETWORK_ADMIN",
    b"WP_USER_ADMIN",
    b"WP_BLOG_ADMIN",
    b"WP_INSTALLING",
    b"WP_INSTALLING_NETWORK",
    b"WP_REPAIRING",
    b"WP_IMPORTING",
    b"WP_LOAD_IMPORTERS",
    b"WP_CLI",
    b"WP_CLI_ROOT",
    b"WP_UNINSTALL_PLUGIN",
    b"DOING_AJAX",
    b"DOING_CRON",
    b"XMLRPC_REQUEST",
    b"REST_REQUEST",
    b"IFRAME_REQUEST",
    b"APP_REQUEST",
    b"MS_FILES_REQUEST",
    b"SHORTINIT",
];

/// So many entries may be copied while following branches; a file that needs more
/// was written to be slow and is not followed.
const MAX_COPIED: usize = 2_000_000;

/// What is known at one point of the file.
#[derive(Debug, Clone, Default)]
struct State {
    constants: BTreeMap<String, Value>,
    variables: BTreeMap<Vec<u8>, Value>,
    /// Anything else may be defined too.
    opaque: bool,
    /// Nothing after this is run.
    ended: bool,
}

pub(super) struct Run<'a> {
    file: &'a File,
    place: Option<&'a Place>,
    state: State,
    /// How it was wherever WordPress is loaded.
    loaded: Vec<State>,
    /// Names this file defines somewhere.
    mentioned: BTreeSet<&'a [u8]>,
    /// Variables that functions of this file may change.
    tainted: BTreeSet<&'a [u8]>,
    all_tainted: bool,
    copied: usize,
}

/// Follows a file to the point where WordPress is loaded, or to its end.
pub(super) fn run(file: &File, place: Option<&Place>) -> WpConfig {
    let mut run = Run {
        file,
        place,
        state: State::default(),
        loaded: Vec::new(),
        mentioned: BTreeSet::new(),
        tainted: BTreeSet::new(),
        all_tainted: false,
        copied: 0,
    };
    run.look_ahead();
    run.block(&file.block);
    let last = mem::take(&mut run.state);
    let mut ends = mem::take(&mut run.loaded);
    let loads = !ends.is_empty();
    if !last.ended || ends.is_empty() {
        ends.push(last);
    }
    let mut end = ends.pop().unwrap_or_default();
    for other in ends {
        end = run.joined(end, other);
    }
    WpConfig {
        table_prefix: end.variables.remove(b"table_prefix".as_slice()),
        constants: end.constants,
        opaque: end.opaque,
        loads,
    }
}

impl<'a> Run<'a> {
    fn tokens(&self, range: Range<usize>) -> &'a [Lexeme] {
        let all = &self.file.lexed.tokens;
        all.get(range.start..range.end.min(all.len()))
            .unwrap_or_default()
    }

    /// Finds the names that are defined somewhere, and what bodies of functions may
    /// do: they may be called at any time.
    fn look_ahead(&mut self) {
        let tokens = self.file.lexed.tokens.as_slice();
        let mut behind = 0;
        for (at, lexeme) in tokens.iter().enumerate() {
            let Token::Name(name) = &lexeme.token else {
                continue;
            };
            if name.eq_ignore_ascii_case(b"define") {
                if let [
                    _,
                    open,
                    Lexeme {
                        token: Token::Text(Some(name)),
                        ..
                    },
                    ..,
                ] = &tokens[at..]
                    && open.token == Token::Sign(b'(')
                {
                    self.mentioned.insert(name);
                }
            } else if name.eq_ignore_ascii_case(b"const") {
                if let Some(Token::Name(name)) = tokens.get(at + 1).map(|it| &it.token) {
                    self.mentioned.insert(name);
                }
            } else if name.eq_ignore_ascii_case(b"goto") {
                self.state.opaque = true;
            } else if name.eq_ignore_ascii_case(b"function") && at >= behind && !self.is_member(at)
            {
                behind = self.function(at);
            }
        }
    }

    /// Looks through a function whose keyword is here; the place behind it.
    fn function(&mut self, start: usize) -> usize {
        let tokens = self.file.lexed.tokens.as_slice();
        let mut at = start + 1;
        while let Some(lexeme) = tokens.get(at) {
            match &lexeme.token {
                Token::Sign(b'{' | b';') => break,
                Token::Name(name) if name.eq_ignore_ascii_case(b"use") => {
                    let end = self.file.partners.get(at + 1).copied().flatten();
                    let bound = end.unwrap_or(at + 1);
                    for pair in self.tokens(at + 1..bound).windows(2) {
                        if let (Token::Sign(b'&'), Token::Variable(name)) =
                            (&pair[0].token, &pair[1].token)
                        {
                            self.tainted.insert(name);
                        }
                    }
                    at = bound + 1;
                }
                Token::Sign(b'(') => at = self.file.partners[at].unwrap_or(at) + 1,
                _ => at += 1,
            }
        }
        let end = self.file.partners.get(at).copied().flatten();
        let end = end.filter(|end| *end > at).unwrap_or(tokens.len());
        let mut global = false;
        for lexeme in self.tokens(at..end) {
            match &lexeme.token {
                Token::Name(name) if name.eq_ignore_ascii_case(b"global") => global = true,
                Token::Sign(b';') => global = false,
                Token::Variable(name) if name == b"GLOBALS" => self.all_tainted = true,
                Token::Variable(name) if global => {
                    self.tainted.insert(name);
                }
                _ => {}
            }
        }
        self.suspect(at..end, false);
        end
    }

    fn block(&mut self, block: &Block) {
        for node in block {
            if self.state.ended {
                return;
            }
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        match &node.statement {
            Statement::Nothing => {}
            Statement::Expression(expression) => {
                self.value(expression);
            }
            Statement::Constants(all) => {
                for definition in all {
                    self.define(definition);
                }
            }
            Statement::Block(block) => self.block(block),
            Statement::Stop => self.state.ended = true,
            Statement::If { arms, otherwise } => self.arms(arms, otherwise),
        }
    }

    fn arms(&mut self, arms: &[(Expression, Block)], otherwise: &Block) {
        // What the arms before left behind, each with its state.
        let mut ends: Vec<State> = Vec::new();
        let mut fell_through = true;
        for (condition, block) in arms {
            let truth = self.value(condition).truth();
            if self.state.ended || truth == Some(false) {
                continue;
            }
            let other = (truth.is_none()).then(|| self.copy());
            self.block(block);
            let Some(other) = other else {
                fell_through = false;
                break;
            };
            ends.push(mem::replace(&mut self.state, other));
        }
        if fell_through && !self.state.ended {
            self.block(otherwise);
        }
        for end in ends {
            let state = mem::take(&mut self.state);
            self.state = self.joined(state, end);
        }
    }

    /// What is known now, kept to be gone on from; everything unknown once too much
    /// was kept.
    fn copy(&mut self) -> State {
        self.copied += self.state.constants.len() + self.state.variables.len() + 1;
        if self.copied > MAX_COPIED {
            self.state.constants.clear();
            self.state.variables.clear();
            self.lose_all();
        }
        self.state.clone()
    }

    /// Something that happens only sometimes.
    fn perhaps(&mut self, act: impl FnOnce(&mut Self) -> Value) -> Value {
        let before = self.copy();
        let value = act(self);
        let state = mem::take(&mut self.state);
        self.state = self.joined(before, state);
        value
    }

    fn joined(&mut self, one: State, other: State) -> State {
        if one.ended != other.ended {
            return if one.ended { other } else { one };
        }
        self.copied += one.constants.len() + other.constants.len();
        State {
            constants: both(one.constants, other.constants),
            variables: both(one.variables, other.variables),
            opaque: one.opaque || other.opaque,
            ended: one.ended,
        }
    }

    fn define(&mut self, definition: &Definition) {
        let name = self.value(&definition.name);
        let value = self.value(&definition.value);
        match name {
            Value::Text(name) => self.set(&name, value),
            // Any of them.
            _ => self.state.opaque = true,
        }
    }

    fn set(&mut self, name: &[u8], value: Value) {
        let Ok(name) = std::str::from_utf8(name) else {
            return;
        };
        let name = name.trim_start_matches('\\');
        let value = match self.given(name.as_bytes()) {
            Some(given) => given,
            None if self.state.opaque => Value::Unknown,
            None => value,
        };
        let constants = &mut self.state.constants;
        if !constants.contains_key(name) {
            constants.insert(name.to_owned(), value);
        }
    }

    /// What is defined before this file is read.
    fn given(&self, name: &[u8]) -> Option<Value> {
        match (name, self.place) {
            (b"ABSPATH", Some(place)) => Some(Value::Text(place.abspath.clone())),
            _ => None,
        }
    }

    fn assign(&mut self, name: &[u8], value: Value) {
        let value = if self.all_tainted || self.tainted.contains(name) {
            Value::Unknown
        } else {
            value
        };
        self.state.variables.insert(name.to_vec(), value);
    }

    /// Every variable may be something else now.
    fn lose_variables(&mut self) {
        for value in self.state.variables.values_mut() {
            *value = Value::Unknown;
        }
        let prefix = b"table_prefix".to_vec();
        self.state.variables.insert(prefix, Value::Unknown);
    }

    fn lose_all(&mut self) {
        self.state.opaque = true;
        self.lose_variables();
    }

    /// Whether the name at this place is a method or a declaration, not the function.
    fn is_member(&self, at: usize) -> bool {
        let before = |back: usize| {
            at.checked_sub(back)
                .and_then(|at| self.file.lexed.tokens.get(at))
                .map(|it| &it.token)
        };
        match before(1) {
            Some(Token::Sign(b'>')) => before(2) == Some(&Token::Sign(b'-')),
            Some(Token::Sign(b':')) => before(2) == Some(&Token::Sign(b':')),
            Some(Token::Name(name)) => {
                name.eq_ignore_ascii_case(b"function") || name.eq_ignore_ascii_case(b"new")
            }
            _ => false,
        }
    }

    /// Looks through tokens for whatever they may do, whenever they are run.
    /// `here` says that they may be run at this point, in the file's own scope.
    fn suspect(&mut self, range: Range<usize>, here: bool) {
        let start = range.start;
        let tokens = self.tokens(range);
        for (offset, lexeme) in tokens.iter().enumerate() {
            let next = tokens.get(offset + 1).map(|it| &it.token);
            match &lexeme.token {
                Token::Variable(name) if here => {
                    if name == b"GLOBALS" {
                        self.lose_variables();
                    } else {
                        self.assign(name, Value::Unknown);
                    }
                }
                // `$$name`, `${name}`
                Token::Sign(b'$') if here => self.lose_variables(),
                // As in `array_map( 'define', … )`.
                Token::Text(Some(text)) if text.eq_ignore_ascii_case(b"define") => {
                    self.state.opaque = true;
                }
                Token::Name(name) if !self.is_member(start + offset) => {
                    let name = name.to_ascii_lowercase();
                    match (name.as_slice(), next) {
                        (b"define", Some(Token::Sign(b'('))) => {
                            match tokens.get(offset + 2).map(|it| &it.token) {
                                Some(Token::Text(Some(name))) => self.set(name, Value::Unknown),
                                _ => self.state.opaque = true,
                            }
                        }
                        (b"define", _) => self.state.opaque = true,
                        (b"const", Some(Token::Name(name))) if here => {
                            self.set(name, Value::Unknown);
                        }
                        (b"include" | b"include_once" | b"require" | b"require_once", _) => {
                            let loads = tokens[offset..]
                                .iter()
                                .take_while(|it| {
                                    !matches!(it.token, Token::Sign(b';') | Token::Output)
                                })
                                .any(|it| is_settings(&it.token));
                            if loads && here {
                                let now = self.copy();
                                self.loaded.push(now);
                            } else if here {
                                self.lose_all();
                            } else {
                                self.state.opaque = true;
                            }
                        }
                        (b"eval" | b"extract" | b"parse_str", _) => {
                            self.state.opaque = true;
                            if here {
                                self.lose_variables();
                            }
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
}

fn is_settings(token: &Token) -> bool {
    matches!(token, Token::Text(Some(path)) if path.ends_with(b"wp-settings.php"))
}

/// What holds either way: what differs, or is there only one way, is unknown.
fn both<K: Ord>(one: BTreeMap<K, Value>, mut other: BTreeMap<K, Value>) -> BTreeMap<K, Value> {
    let mut all = BTreeMap::new();
    for (name, value) in one {
        let value = match other.remove(&name) {
            Some(same) if same == value => value,
            _ => Value::Unknown,
        };
        all.insert(name, value);
    }
    all.extend(other.into_keys().map(|name| (name, Value::Unknown)));
    all
}
