//! Reading a TOML file, with the place of everything in it.

use super::{
    Error, Key, Origin, Value,
    keys::{KEYS, nearest},
    value::Layer,
};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// The values of one file. Anything that is not a known key of the right shape is
/// refused with its line and column.
pub(super) fn read(path: &Path, text: &str) -> Result<Layer, Error> {
    let origin = |offset: usize| place(path, text, offset);
    let document = DeTable::parse(text).map_err(|error| {
        let refused = Error::new(format!("this is not TOML: {}", error.message()));
        match error.span() {
            Some(span) => refused.at(origin(span.start)),
            None => refused,
        }
    })?;
    let mut layer = Layer::new();
    for (key, value) in document.get_ref() {
        let name = key.get_ref().as_ref();
        let at = origin(key.span().start);
        match value.get_ref() {
            DeValue::Table(_) if !Key::is_section(name) => {
                let sections = KEYS.iter().map(|key| key.section.to_owned());
                return Err(Error::new(format!("unknown table `[{name}]`"))
                    .at(at)
                    .maybe_hint(nearest(name, sections.filter(|name| !name.is_empty()))));
            }
            DeValue::Table(table) => {
                for (key, value) in table {
                    let at = origin(key.span().start);
                    let known = known(name, key.get_ref(), &at)?;
                    let value = checked(known, value.get_ref(), origin(value.span().start))?;
                    layer.insert(known.path(), value);
                }
            }
            _ if Key::is_section(name) => {
                return Err(Error::new(format!("`{name}` must be a table, `[{name}]`")).at(at));
            }
            other => {
                let known = known("", name, &at)?;
                let value = checked(known, other, origin(value.span().start))?;
                layer.insert(known.path(), value);
            }
        }
    }
    Ok(layer)
}

fn known(section: &str, name: &str, at: &Origin) -> Result<&'static Key, Error> {
    Key::find(section, name).ok_or_else(|| {
        let written = if section.is_empty() {
            name.to_owned()
        } else {
            format!("{section}.{name}")
        };
        let hint = nearest(&written, KEYS.iter().map(Key::path));
        Error::new(format!("unknown key `{written}`"))
            .at(at.clone())
            .maybe_hint(hint)
    })
}

fn checked(key: &Key, found: &DeValue<'_>, at: Origin) -> Result<(Value, Origin), Error> {
    let value = match found {
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Boolean(truth) => Some(Value::Bool(*truth)),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(Value::Integer),
        _ => None,
    };
    let refused = |expected: String| {
        Error::new(format!("`{}` must be {expected}", key.path())).at(at.clone())
    };
    match value {
        None => Err(refused(key.shape.to_string())),
        Some(value) => match key.shape.check(&value) {
            Ok(()) => Ok((value, at)),
            Err(expected) => Err(refused(expected)),
        },
    }
}

fn place(path: &Path, text: &str, offset: usize) -> Origin {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Origin::File {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}
