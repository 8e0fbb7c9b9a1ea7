//! The two kinds, and how a request names one, some or all of a kind.

use crate::wire::{NamesIn, PluginOut, ThemeOut};
use pressroom_dialect_http::Fault;
use pressroom_fleet::views::{Component, Environment};

/// Components that one request may name.
const BULK: usize = 50;
const ALL: &str = "all";

/// A kind of component in this dialect's words.
pub struct Noun {
    /// As the fleet names it, and the member of a body that names one.
    pub kind: &'static str,
    /// At the beginning of a sentence.
    pub title: &'static str,
}

/// Plugins.
pub const PLUGIN: Noun = Noun {
    kind: "plugin",
    title: "Plugin",
};

/// Themes.
pub const THEME: Noun = Noun {
    kind: "theme",
    title: "Theme",
};

impl Noun {
    /// An installed one by folder or main file; one that lies where it belongs before another.
    pub fn find<'a>(&self, environment: &'a Environment, asked: &str) -> Option<&'a Component> {
        let found = environment.components.iter().filter(|found| {
            found.kind == self.kind && (found.slug == asked || found.file == asked)
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|found| matches!(found.status.as_str(), "must-use" | "dropin"));
        found.first().copied()
    }

    /// It as the member `plugin` or `theme` of an answer.
    pub fn members(&self, found: Component) -> (Option<PluginOut>, Option<ThemeOut>) {
        if self.kind == PLUGIN.kind {
            (Some(found.into()), None)
        } else {
            (None, Some(found.into()))
        }
    }

    /// Its name as the member `plugin` or `theme` of a result.
    pub fn named(&self, name: String) -> (Option<String>, Option<String>) {
        if self.kind == PLUGIN.kind {
            (Some(name), None)
        } else {
            (None, Some(name))
        }
    }
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    /// `plugin`, `theme`.
    One(String),
    /// `plugins`, `themes`.
    Some(Vec<String>),
    /// `all`, where a call knows it.
    All,
}

impl Wanted {
    /// Reads the names of a body.
    pub fn of(noun: &Noun, names: &impl NamesIn) -> Result<Self, Fault> {
        let (kind, refuse) = (noun.kind, |text: String| Err(Fault::Malformed(text)));
        match (names.one(), names.some()) {
            (Some(_), Some(_)) => refuse(format!("Give `{kind}` or `{kind}s`, not both")),
            (None, Some(list)) if list.is_empty() || list.len() > BULK => {
                refuse(format!("`{kind}s` must name 1 to {BULK} {kind}s"))
            }
            (None, Some(list)) if list.iter().any(String::is_empty) => {
                refuse(format!("`{kind}s` contains an empty name"))
            }
            (None, Some(list)) => Ok(Self::Some(list.to_vec())),
            (Some(name), None) if name == ALL => Ok(Self::All),
            (Some(name), None) if !name.is_empty() => Ok(Self::One(name.to_owned())),
            (Some(_) | None, None) => refuse(format!("{} is required", noun.title)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::PluginsIn;

    fn wanted(body: &str) -> Result<Wanted, Fault> {
        let input: PluginsIn = serde_json::from_str(body).expect("a body");
        Wanted::of(&PLUGIN, &input)
    }

    #[test]
    fn one_some_or_all_plugins_may_be_named() {
        assert_eq!(
            wanted(r#"{"plugin":"a"}"#).expect("one"),
            Wanted::One("a".into())
        );
        assert_eq!(wanted(r#"{"plugin":"all"}"#).expect("all"), Wanted::All);
        assert_eq!(
            wanted(r#"{"plugins":["all","b/b.php"]}"#).expect("some"),
            Wanted::Some(vec!["all".into(), "b/b.php".into()])
        );
        let many = format!(r#"{{"plugins":[{}"x"]}}"#, r#""x","#.repeat(BULK));
        let bad = [
            "{}",
            r#"{"plugin":""}"#,
            r#"{"plugins":[]}"#,
            r#"{"plugins":[""]}"#,
            &many,
        ];
        for body in bad.into_iter().chain([r#"{"plugin":"a","plugins":["b"]}"#]) {
            assert!(matches!(wanted(body), Err(Fault::Malformed(_))), "{body}");
        }
    }
}
