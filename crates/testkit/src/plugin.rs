//! Generated plugin packages: good ones, and those that break a site or lie.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;

/// What a generated plugin does besides being a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Prints `<!-- slug version -->` at the foot of each page, so that the version
    /// which really runs can be seen from outside.
    Good,
    /// Dies on every request, in the browser, the admin area and on the command line.
    FatalEverywhere,
    /// When WordPress is booted on the command line, prints a perfect success frame
    /// of the bridge with whatever nonce it can find, and ends the process.
    FakeFrame,
    /// Prints 10 kB of rubbish on the command line, and is good otherwise.
    Noise,
    /// Dies in the admin area only.
    FatalInAdmin,
    /// Dies after half of each page was sent.
    FatalInTheFooter,
    /// Sends every visitor of the front page elsewhere.
    Redirects,
    /// Deactivates itself when a page is viewed.
    DeactivatesItself,
    /// Writes a file into its own directory when it runs.
    WritesIntoItself,
    /// Contains a symbolic link to this target, and is good otherwise.
    Symlink(String),
}

/// A plugin package to be.
#[derive(Debug, Clone)]
pub struct PluginPackage {
    slug: String,
    version: String,
    behaviour: Behaviour,
    files: usize,
}

impl PluginPackage {
    /// Version 1.0.0 of a good plugin with a main file and nothing else.
    pub fn new(slug: &str) -> Self {
        Self {
            slug: slug.to_owned(),
            version: "1.0.0".to_owned(),
            behaviour: Behaviour::Good,
            files: 0,
        }
    }

    /// Sets the version.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// Sets what it does.
    #[must_use]
    pub fn behaviour(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// Adds this many further files, whose contents differ between versions.
    #[must_use]
    pub fn files(mut self, files: usize) -> Self {
        self.files = files;
        self
    }

    /// `slug-version.zip`, the name under which a package directory knows it.
    pub fn file_name(&self) -> String {
        format!("{}.{}.zip", self.slug, self.version)
    }

    /// The comment that the running plugin prints.
    pub fn mark(&self) -> String {
        format!("<!-- {} {} -->", self.slug, self.version)
    }

    /// The files, as `(path inside the plugin, contents)`.
    pub fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![(format!("{}.php", self.slug), self.main_file().into_bytes())];
        for number in 0..self.files {
            // Some below directories, some with bytes that are not text.
            let path = match number % 4 {
                0 => format!("includes/class-part-{number}.php"),
                1 => format!("assets/js/part-{number}.js"),
                2 => format!("languages/part-{number}.mo"),
                _ => format!("vendor/deep/er/part-{number}.php"),
            };
            let mut content =
                format!("<?php // part {number} of {} {}\n", self.slug, self.version).into_bytes();
            content.extend(
                (0..2000_usize)
                    .map(|byte| u8::try_from((byte * (number + 7)) % 251).expect("below 251")),
            );
            files.push((path, content));
        }
        files
    }

    /// The package: a zip with the slug as its top folder.
    pub fn zip(&self) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().unix_permissions(0o644);
        for (path, content) in self.contents() {
            writer
                .start_file(format!("{}/{path}", self.slug), options)
                .expect("a name that fits a zip");
            writer.write_all(&content).expect("memory takes it");
        }
        if let Behaviour::Symlink(target) = &self.behaviour {
            writer
                .add_symlink(format!("{}/planted.txt", self.slug), target, options)
                .expect("a link that fits a zip");
        }
        writer.finish().expect("memory takes it").into_inner()
    }

    fn main_file(&self) -> String {
        let Self { slug, version, .. } = self;
        let mut code = format!(
            "<?php\n/**\n * Plugin Name: Sample {slug}\n * Description: Generated for a test\n \
             * Version: {version}\n * Requires at least: 6.0\n * Author: Pressroom tests\n */\n"
        );
        match &self.behaviour {
            Behaviour::Good | Behaviour::Symlink(_) => {}
            Behaviour::FatalEverywhere => {
                code.push_str("a_function_that_nobody_ever_defined();\n");
            }
            Behaviour::Noise => code.push_str(
                "if (PHP_SAPI === 'cli') { for ($i = 0; $i < 100; $i++) {\n\
                 \x20   echo str_repeat('noise {\"ok\":true} ', 6), \"\\n\";\n} }\n",
            ),
            Behaviour::FatalInAdmin => {
                code.push_str("if (is_admin()) { a_function_missing_in_admin(); }\n");
            }
            Behaviour::FatalInTheFooter => code.push_str(
                "add_action('wp_footer', function () {\n    \
                 while (ob_get_level()) { ob_end_flush(); } flush();\n    \
                 a_function_missing_in_the_footer();\n}, 1);\n",
            ),
            Behaviour::Redirects => code.push_str(
                "add_action('template_redirect', function () {\n    \
                 if (is_front_page()) { wp_redirect('/wizard/'); exit; }\n});\n",
            ),
            Behaviour::DeactivatesItself => code.push_str(
                "add_action('wp_footer', function () {\n    \
                 require_once ABSPATH . 'wp-admin/includes/plugin.php';\n    \
                 deactivate_plugins(plugin_basename(__FILE__));\n});\n",
            ),
            Behaviour::WritesIntoItself => {
                code.push_str(
                    "file_put_contents(__DIR__ . '/cache.tmp', (string) microtime(true));\n",
                );
            }
            Behaviour::FakeFrame => code.push_str(FAKE_FRAME),
        }
        let _ = writeln!(
            code,
            "add_action('wp_footer', function () {{ echo '{}'; }});",
            self.mark()
        );
        code
    }
}

/// A package of these files, as `(path inside the zip, contents)`.
pub fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o644);
    for (path, content) in files {
        writer
            .start_file(*path, options)
            .expect("a name that fits a zip");
        writer
            .write_all(content.as_bytes())
            .expect("memory takes it");
    }
    writer.finish().expect("memory takes it").into_inner()
}

/// Looks for the nonce everywhere a plugin can look: constants, globals, arguments,
/// environment, the call stack. Adjusted to how the bridge frames its answers.
const FAKE_FRAME: &str = include_str!("plugin/fake_frame.php.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_differ_in_every_file() {
        let old = PluginPackage::new("sample").files(9).contents();
        let new = PluginPackage::new("sample")
            .version("1.1.0")
            .files(9)
            .contents();
        assert_eq!(old.len(), 10);
        for ((path, before), (same, after)) in old.iter().zip(&new) {
            assert_eq!(path, same);
            assert_ne!(before, after, "{path}");
        }
    }
}
