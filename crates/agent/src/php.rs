//! The agent in PHP, for hosts on which this program cannot run: the same protocol, and
//! of the requests those that PHP can carry out ([`carries_out`]).
//!
//! It is sent over standard input and written nowhere. The programs for the PHP
//! processes that it starts itself come along.

use pressroom_wordpress::{caches::DropIn, programs};
use std::sync::LazyLock;

/// Each begins with `<?php` and can be read and checked alone.
const PARTS: [&str; 30] = [
    include_str!("../php/wire.php"),
    include_str!("../php/upload.php"),
    include_str!("../php/agent.php"),
    include_str!("../php/home.php"),
    include_str!("../php/child.php"),
    include_str!("../php/bridge.php"),
    include_str!("../php/disk.php"),
    include_str!("../php/tree.php"),
    include_str!("../php/config.php"),
    include_str!("../php/look.php"),
    include_str!("../php/headers.php"),
    include_str!("../php/plugins.php"),
    include_str!("../php/themes.php"),
    include_str!("../php/inventory.php"),
    include_str!("../php/zip.php"),
    include_str!("../php/layout.php"),
    include_str!("../php/package.php"),
    include_str!("../php/journal.php"),
    include_str!("../php/component.php"),
    include_str!("../php/core.php"),
    include_str!("../php/core_stage.php"),
    include_str!("../php/core_update.php"),
    include_str!("../php/recovery.php"),
    include_str!("../php/checksums.php"),
    include_str!("../php/caches.php"),
    include_str!("../php/drop_ins.php"),
    include_str!("../php/tables.php"),
    include_str!("../php/maintenance.php"),
    include_str!("../php/site.php"),
    include_str!("../php/requests.php"),
];

/// The requests that it carries out, by name.
pub const REQUESTS: [&str; 33] = [
    "activate_plugins",
    "bridge",
    "cache_status",
    "check_adoption",
    "disk_usage",
    "drop_staged",
    "drop_staged_core",
    "find",
    "flush_caches",
    "hash_component",
    "inspect",
    "list_config",
    "maintain",
    "maintenance_status",
    "purge_pages",
    "read_config",
    "read_site",
    "read_users",
    "recover",
    "renew_maintenance",
    "run_command",
    "run_cron",
    "stage_component",
    "stage_core",
    "survey",
    "swap_component",
    "swap_core",
    "switch_theme",
    "take_back",
    "take_back_core",
    "tree_hash",
    "upgrade_databases",
    "verify_checksums",
];

/// Whether it carries out requests of this name
/// ([`Request::name`](crate::protocol::Request::name)).
pub fn carries_out(request: &str) -> bool {
    REQUESTS.contains(&request)
}

/// What PHP evaluates to run a program of `$argv[1]` bytes that comes over standard
/// input; the home is `$argv[2]`. Without `!`, `'` and `\`, as every shell takes it.
pub const START: &str = r#"eval("?>" . stream_get_contents(STDIN, (int) $argv[1]));"#;

/// What PHP is told, whatever the machine's configuration says: nothing of the
/// machine's may print, wait, or take functions away.
pub const SETTINGS: [&str; 10] = [
    "display_errors=stderr",
    "log_errors=0",
    "html_errors=0",
    "max_execution_time=0",
    "memory_limit=512M",
    "auto_prepend_file=",
    "auto_append_file=",
    "zend.exception_ignore_args=1",
    "disable_functions=",
    "open_basedir=",
];

/// The whole program.
pub fn program() -> &'static str {
    static WHOLE: LazyLock<String> = LazyLock::new(|| {
        let mut whole = String::from("<?php\n");
        for part in PARTS {
            whole.push_str(part.strip_prefix("<?php\n").unwrap_or(part));
        }
        let release = env!("CARGO_PKG_VERSION");
        let [page, object] = [DropIn::Page, DropIn::Object].map(DropIn::sha256);
        let named = [
            ("bridge", programs::bridge()),
            ("evaluate", programs::evaluation()),
            ("login", programs::login()),
            (DropIn::Page.file(), &page),
            (DropIn::Object.file(), &object),
        ];
        let named: String = named
            .map(|(name, text)| format!("'{name}' => {},\n", literal(text)))
            .concat();
        whole + &format!("Pressroom_Agent::serve( $argv[2], '{release}', array(\n{named}) );\n")
    });
    &WHOLE
}

/// A text as PHP has it between single quotes.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_literal_is_the_text_again() {
        let text = "a'b\\c\\'d\\\\ $x\n\"";
        let said = Command::new("php")
            .args(["-n", "-r", &format!("echo {};", literal(text))])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stdout), text);
    }

    #[test]
    fn it_carries_out_what_is_listed_and_nothing_else() {
        let text = include_str!("../php/requests.php");
        let case = |line: &'static str| line.trim().strip_prefix("case '")?.strip_suffix("':");
        let mut cases: Vec<&str> = text.lines().filter_map(case).collect();
        cases.sort_unstable();
        assert_eq!(cases, REQUESTS);
    }

    #[test]
    fn every_part_is_php() {
        for part in PARTS {
            assert!(part.starts_with("<?php\n/**"), "{}", &part[..40]);
        }
        assert!(!START.contains(['!', '\'', '\\']));
    }
}
