//! A site made into a network of sites.

use anyhow::Result;
use pressroom_testkit::site::Site;
use std::fs;

/// Makes a network of a site, below one address or with names below it, with a second
/// site, as WordPress' own set-up page does.
pub fn network(site: &Site, subdomains: bool) -> Result<()> {
    let host = site.url.trim_start_matches("http://").to_owned();
    site.php(&format!(
        "define('WP_INSTALLING_NETWORK', true); require 'wp-load.php'; \
         require ABSPATH . 'wp-admin/includes/upgrade.php'; \
         foreach ($wpdb->tables('ms_global') as $name => $table) {{ $wpdb->$name = $table; }} \
         install_network(); \
         $done = populate_network(1, '{host}', 'editor@press.example', 'Network', '/', {subdomains}); \
         if (is_wp_error($done) && $done->get_error_code() !== 'no_wildcard_dns') {{ echo $done->get_error_message(); }}"
    ))?;
    let config = site.root.join("wp-config.php");
    let constants = format!(
        "<?php\ndefine('MULTISITE', true); define('SUBDOMAIN_INSTALL', {subdomains}); \
         define('DOMAIN_CURRENT_SITE', '{host}'); define('PATH_CURRENT_SITE', '/'); \
         define('SITE_ID_CURRENT_SITE', 1); define('BLOG_ID_CURRENT_SITE', 1);"
    );
    let text = fs::read_to_string(&config)?.replacen("<?php", &constants, 1);
    fs::write(&config, text)?;
    let (domain, path) = if subdomains {
        (format!("second.{host}"), "/")
    } else {
        (host.clone(), "/second/")
    };
    // WordPress takes the colon out of a new site's domain: it knows no ports there.
    site.php(&format!(
        "$_SERVER['HTTP_HOST'] = '{host}'; $_SERVER['REQUEST_URI'] = '/'; require 'wp-load.php'; \
         $id = wp_insert_site(['domain' => '{domain}', 'path' => '{path}', 'title' => 'Second', 'user_id' => 1]); \
         if (is_wp_error($id)) {{ echo $id->get_error_message(); exit(1); }} \
         $bare = str_replace(':', '', '{domain}'); \
         $wpdb->update($wpdb->blogs, ['domain' => '{domain}'], ['blog_id' => $id]); \
         $wpdb->query(\"UPDATE {{$wpdb->base_prefix}}2_options SET option_value = REPLACE(option_value, '$bare', '{domain}') WHERE option_name IN ('home', 'siteurl')\");"
    ))?;
    Ok(())
}
