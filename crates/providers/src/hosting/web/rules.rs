//! What no visitor gets, whichever program serves the site. Regular expressions as
//! PCRE reads them, for nginx and for PHP's router alike, matched against the decoded
//! path. First come first served, and before anything is looked for on disk.

/// Paths that are answered with 403.
pub const REFUSED: [&str; 8] = [
    // Control characters: nobody's file, and ends of lines in headers.
    r"[\x00-\x1f\x7f]",
    // Hidden files and directories.
    r"/\.(?!well-known/)",
    // wp-config.php, and what editors and people leave beside it.
    r"(?i)/[^/]*wp-config[^/]*[.~#](?!(?:min\.)?(?:js|css|png|svg)$)[^/]*$",
    // Dumps, logs, settings and backup copies.
    r"(?i)(?:~|#|\.(?:sql|sqlite3?|log|bak|backup|old|orig|save|swp|swo|rej|ini|sh)(?:\.(?:gz|bz2|xz|zst|zip|7z))?)$",
    // PHP that would be sent as text, because only `.php` is run.
    r"(?:\.(?!php$)(?i:php|phtml|phps|pht|phar|inc)[0-9]?|(?i:\.php[._~-][^/]*))$",
    // Programs where only data belongs.
    r"(?i)/(?:uploads|files|upgrade|upgrade-temp-backup|languages)/.*\.(?:php[0-9]?|phtml|phar)(?:/|$)",
    // WordPress' own parts that are included and never asked for.
    r"/wp-includes/(?!js/tinymce/wp-tinymce\.php$|ms-files\.php$).*\.php$",
    r"/wp-admin/includes/.*\.php$",
];

/// What is refused as well where a WordPress is to be protected; `@AT@` stands for its
/// directory. Texts that tell what is installed, and programs that a cache wrote.
pub const PROTECTED: [&str; 2] = [
    r"(?i)^@AT@/(?:[^/]+/(?:plugins|themes|mu-plugins)/(?:.*/)?)?(?:readme|licen[cs]e|liesmich|leeme|lisezmoi|licencia|licenza|changelog)\.(?:html?|txt|md)$",
    r"(?i)^@AT@/(?:[^/]+/)?cache/.*\.(?:php[0-9]?|phtml|phar)(?:/|$)",
];

/// Directories of WordPress' that have an index, without their last slash.
pub const ADMIN: &str = "/wp-admin(?:/network|/user)?$";
/// The same with it; what stands before the slash is named `admin`.
pub const ADMIN_INDEX: &str = "^(?<admin>.*/wp-admin(?:/network|/user)?)/$";
/// Addresses that people guess passwords at.
pub const LOGIN: &str = r"/wp-login\.php$";
/// The same for programs.
pub const XMLRPC: &str = r"/xmlrpc\.php$";
/// What is run.
pub const PHP: &str = r"\.php$";

/// Endings, their media types, and whether browsers may keep such files for a week.
pub const TYPES: [(&str, &str, bool); 36] = [
    ("html htm", "text/html", false),
    ("css", "text/css", true),
    ("xml", "text/xml", false),
    ("xsl", "text/xml", false),
    ("txt", "text/plain", false),
    ("js mjs", "text/javascript", true),
    ("ics", "text/calendar", false),
    ("csv", "text/csv", false),
    ("json map", "application/json", false),
    ("webmanifest", "application/manifest+json", false),
    ("pdf", "application/pdf", false),
    ("rss", "application/rss+xml", false),
    ("atom", "application/atom+xml", false),
    ("wasm", "application/wasm", false),
    ("zip", "application/zip", false),
    ("gif", "image/gif", true),
    ("jpeg jpg", "image/jpeg", true),
    ("png", "image/png", true),
    ("webp", "image/webp", true),
    ("avif", "image/avif", true),
    ("svg svgz", "image/svg+xml", true),
    ("ico", "image/x-icon", true),
    ("woff", "font/woff", true),
    ("woff2", "font/woff2", true),
    ("ttf", "font/ttf", true),
    ("otf", "font/otf", true),
    ("eot", "application/vnd.ms-fontobject", true),
    ("mp3", "audio/mpeg", true),
    ("ogg", "audio/ogg", true),
    ("wav", "audio/wav", true),
    ("mp4 m4v", "video/mp4", true),
    ("webm", "video/webm", true),
    ("mov", "video/quicktime", true),
    ("vtt", "text/vtt", false),
    ("md", "text/plain", false),
    ("doc", "application/msword", false),
];

/// Media types worth compressing, besides `text/html`.
pub const COMPRESSED: &str = "text/css text/plain text/xml text/javascript text/csv \
    text/calendar application/json application/manifest+json application/rss+xml \
    application/atom+xml application/wasm image/svg+xml image/x-icon font/ttf font/otf \
    application/vnd.ms-fontobject";

/// Endings that browsers may keep, as alternatives of a regular expression.
pub fn kept_endings() -> String {
    TYPES
        .iter()
        .filter(|(_, _, kept)| *kept)
        .flat_map(|(endings, _, _)| endings.split(' '))
        .collect::<Vec<_>>()
        .join("|")
}
