//! Putting defaults, file, environment and flags over each other.

use super::{Config, DEFAULTS, Error, Key, Origin, Value, file, value::Layer, variables};
use pressroom_base::catalog::env;
use std::{
    io,
    path::{Path, PathBuf},
};

/// A value said at the command line.
#[derive(Debug, Clone)]
pub struct Flag {
    /// The key it sets, e.g. `listen`.
    pub key: &'static str,
    /// The flag's name, e.g. `--listen`.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// Where a configuration is looked for.
#[derive(Debug, Default)]
pub struct Sources {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// Values said at the command line.
    pub flags: Vec<Flag>,
    /// The environment.
    pub variables: Vec<(String, String)>,
    /// Where `data = "auto"` points.
    pub auto_data: PathBuf,
}

impl Sources {
    /// This process's environment. A variable that is not UTF-8 cannot be ours.
    pub fn of_process(root: bool) -> Self {
        let variables: Vec<_> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let of = |name: &str| {
            variables
                .iter()
                .find(|(key, value)| key == name && !value.is_empty())
                .map(|(_, value)| PathBuf::from(value))
        };
        let auto_data = if root {
            PathBuf::from("/var/lib/pressroom")
        } else {
            of("XDG_DATA_HOME")
                .or_else(|| of("HOME").map(|home| home.join(".local/share")))
                .unwrap_or_else(|| PathBuf::from("."))
                .join("pressroom")
        };
        Self {
            file: None,
            flags: Vec::new(),
            variables,
            auto_data,
        }
    }

    /// Reads everything and answers what holds.
    pub fn load(&self) -> Result<Config, Error> {
        let mut all = file::read(Path::new("pressroom.default.toml"), DEFAULTS)?;
        for (_, origin) in all.values_mut() {
            *origin = Origin::Default;
        }
        let environment = variables::read(&self.variables)?;
        let mut flags = Layer::new();
        for flag in &self.flags {
            let key = Key::find("", flag.key)
                .ok_or_else(|| Error::new(format!("flag `{}` sets no key", flag.name)))?;
            let value = key.shape.parse(&flag.value);
            let origin = Origin::Flag(flag.name);
            key.shape.check(&value).map_err(|expected| {
                Error::new(format!("`{}` must be {expected}", key.path())).at(origin.clone())
            })?;
            flags.insert(key.path(), (value, origin));
        }

        let named = self.named_file();
        let path = match &named {
            Some(path) => path.clone(),
            // Only what stands outside the data directory can say where it is.
            None => self
                .data_of(&[&all, &environment, &flags])?
                .join("pressroom.toml"),
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let layer = file::read(&path, &text)?;
                if let (None, Some((_, origin))) = (&named, layer.get("data")) {
                    return Err(Error::new(
                        "`data` cannot be set by the file in the data directory itself",
                    )
                    .at(origin.clone())
                    .hint(
                        "move the file elsewhere and name it with `--config` or `PRESSROOM_CONFIG`",
                    ));
                }
                all.extend(layer);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {}
            Err(error) => {
                return Err(Error::new(format!(
                    "the configuration file `{}` cannot be read: {error}",
                    path.display()
                )));
            }
        }
        all.extend(environment);
        all.extend(flags);
        let data = self.data_of(&[&all])?;
        Config::from_values(&all, &data)
    }

    fn named_file(&self) -> Option<PathBuf> {
        self.file.clone().or_else(|| {
            self.variables
                .iter()
                .find(|(name, value)| name == env::CONFIG && !value.is_empty())
                .map(|(_, value)| PathBuf::from(value))
        })
    }

    fn data_of(&self, layers: &[&Layer]) -> Result<PathBuf, Error> {
        let said = layers.iter().rev().find_map(|layer| layer.get("data"));
        let data = match said {
            Some((Value::Text(text), _)) if text != "auto" => PathBuf::from(text),
            _ => self.auto_data.clone(),
        };
        // Other processes, started elsewhere, are given paths made from this one.
        std::path::absolute(&data).map_err(|error| {
            Error::new(format!(
                "the data directory `{}` has no absolute path: {error}",
                data.display()
            ))
        })
    }
}
