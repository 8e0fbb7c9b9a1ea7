//! Which pages are looked at: a few of each kind, always the same ones.

use super::{Visitor, follow::Freshness};
use crate::{
    address::Place,
    channel::Fetch,
    facts::{Facts, ShopPage},
    impression::{Chosen, Content, PageKind, Rest},
    sitemap::{self, Sitemap},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// Where sitemaps are, unless `robots.txt` says otherwise.
const SITEMAPS: [&str; 4] = [
    "/wp-sitemap.xml",
    "/sitemap_index.xml",
    "/sitemap.xml",
    // WordPress' own without permalinks.
    "/?sitemap=index",
];
/// Sitemaps that an index may lead to.
const PARTS: usize = 12;
/// Pages that are asked for to find templates, per page that is chosen.
const TRIES: usize = 3;
/// Nobody has a page here.
const NOWHERE: &str = "/pressroom-asks-for-a-page-that-is-not-there/";
/// Where WooCommerce puts its pages.
const SHOP: [(ShopPage, PageKind, &str); 3] = [
    (ShopPage::Shop, PageKind::Shop, "/shop/"),
    (ShopPage::Cart, PageKind::Cart, "/cart/"),
    (ShopPage::Checkout, PageKind::Checkout, "/checkout/"),
];

/// The pages of one kind, by the name of their sitemap.
type Groups = Vec<(String, Vec<String>)>;

impl Visitor {
    /// Chooses: what is configured, one page of each kind that the sitemap tells apart and
    /// of each template that is found among them, and what every WordPress has.
    pub(super) async fn choose(&self, deadline: Instant) -> Vec<Chosen> {
        let mut chosen: Vec<Chosen> = self
            .plan
            .paths
            .iter()
            .map(|path| Chosen::new(self.home.below(path), PageKind::Configured))
            .collect();
        let front = self.facts(&self.home.below("/")).await.unwrap_or_default();
        let mut groups = self.groups(deadline).await;
        if groups.iter().all(|(_, pages)| pages.is_empty()) {
            groups = self.linked(&front);
        }
        let known: BTreeSet<String> = chosen.iter().map(|page| page.address.clone()).collect();
        for (_, pages) in &mut groups {
            pages.retain(|page| !known.contains(page));
        }
        let pages = self.of_each(&groups, &front, deadline).await;
        chosen.extend(
            pages
                .into_iter()
                .map(|page| Chosen::new(page, PageKind::Sitemap)),
        );
        let (rest, index) = self
            .first_good(PageKind::Rest, &["/wp-json/", "/?rest_route=/"])
            .await;
        let (feed, _) = self
            .first_good(PageKind::Feed, &["/feed/", "/?feed=rss2"])
            .await;
        let index = super::rest(&index).unwrap_or_default();
        chosen.extend(self.shop(&front, &index, &groups).await);
        for (path, kind) in [
            ("/?s=a", PageKind::Search),
            (NOWHERE, PageKind::NotFound),
            ("/wp-login.php", PageKind::Login),
            ("/wp-admin/", PageKind::Admin),
            ("/wp-admin/admin-ajax.php", PageKind::AdminEndpoint),
        ] {
            chosen.push(Chosen::new(self.home.below(path), kind));
        }
        if self.plan.as_admin.is_some() {
            let plugins = self.home.below("/wp-admin/plugins.php");
            chosen.push(Chosen::new(plugins, PageKind::Admin));
        }
        chosen.push(Chosen::new(rest, PageKind::Rest));
        chosen.push(Chosen::new(feed, PageKind::Feed));
        let cron = self.home.below("/wp-cron.php?doing_wp_cron");
        chosen.push(Chosen::new(cron, PageKind::Cron));
        let mut seen = BTreeSet::new();
        chosen.retain(|page| seen.insert(page.clone()));
        chosen
    }

    async fn facts(&self, address: &str) -> Option<Facts> {
        let page = Chosen::new(address, PageKind::Sitemap);
        let visit = self.visit(&page, Freshness::Alive).await;
        match visit.seen.content {
            Content::Html(facts) => Some(*facts),
            _ => None,
        }
    }

    /// The first of these that answers with what it should be, with its body; otherwise the first
    /// of all. Without permalinks WordPress answers any path with its front page.
    async fn first_good(&self, kind: PageKind, paths: &[&str]) -> (String, Vec<u8>) {
        for path in paths {
            let address = self.home.below(path);
            let page = Chosen::new(address.clone(), kind);
            let visit = self.visit(&page, Freshness::Alive).await;
            let is_it = match visit.seen.content {
                Content::Json { is_valid } | Content::Feed { is_valid, .. } => is_valid,
                Content::Html(_) | Content::Other => false,
            };
            if visit.seen.status == Some(200) && is_it {
                return (address, visit.body);
            }
        }
        let first = self.home.below(paths.first().copied().unwrap_or("/"));
        (first, Vec::new())
    }

    async fn body(&self, address: &str) -> Option<Vec<u8>> {
        let fetch = Fetch::get(address, sitemap::LIMIT, self.plan.timeout);
        let fetched = self.channel.fetch(fetch).await.ok()?;
        (fetched.status == 200).then_some(fetched.body)
    }

    fn own(&self, address: &str) -> Option<String> {
        let at = self.home.url().clone();
        match self.home.place(&at, address)? {
            Place::Own(place) => Some(place),
            Place::Foreign(_) => None,
        }
    }

    /// Pages by their sitemaps, the most telling first.
    async fn groups(&self, deadline: Instant) -> Groups {
        let robots = self.body(&self.home.below("/robots.txt")).await;
        let robots = String::from_utf8_lossy(&robots.unwrap_or_default()).into_owned();
        let named = robots.lines().filter_map(|line| {
            let (name, address) = line.split_once(':')?;
            name.trim()
                .eq_ignore_ascii_case("sitemap")
                .then(|| self.own(address))
                .flatten()
        });
        let usual = SITEMAPS.iter().map(|path| self.home.below(path));
        let places: Vec<String> = named.take(3).chain(usual).collect();
        for place in places {
            let read = self
                .body(&place)
                .await
                .and_then(|body| sitemap::read(&body));
            match read {
                Some(Sitemap::Pages(pages)) => {
                    let pages = pages.iter().filter_map(|page| self.own(page)).collect();
                    return vec![("page".to_owned(), pages)];
                }
                Some(Sitemap::Index(parts)) => return self.parts(&parts, deadline).await,
                None => {}
            }
        }
        Vec::new()
    }

    /// The first part of each kind.
    async fn parts(&self, parts: &[String], deadline: Instant) -> Groups {
        let mut first: BTreeMap<(usize, String), String> = BTreeMap::new();
        for part in parts {
            let group = sitemap::group(part);
            if let Some(place) = self.own(part) {
                first.entry((sitemap::rank(&group), group)).or_insert(place);
            }
        }
        let mut groups = Vec::new();
        for ((_, group), place) in first.into_iter().take(PARTS) {
            if Instant::now() >= deadline {
                break;
            }
            let read = self
                .body(&place)
                .await
                .and_then(|body| sitemap::read(&body));
            if let Some(Sitemap::Pages(pages)) = read {
                let pages = pages.iter().filter_map(|page| self.own(page)).collect();
                groups.push((group, pages));
            }
        }
        groups
    }

    /// Without a sitemap: where the front page leads, by the first step of the path.
    fn linked(&self, front: &Facts) -> Groups {
        let base = self.home.base();
        let mut groups: Groups = Vec::new();
        for link in &front.own_links {
            let Some(path) = link.strip_prefix(base) else {
                continue;
            };
            let first = path.trim_start_matches('/').split('/').next();
            let first = first.unwrap_or_default();
            if first.is_empty()
                || first.starts_with("wp-")
                || first.starts_with('?')
                || path.contains('.')
            {
                continue;
            }
            match groups.iter_mut().find(|(name, _)| name == first) {
                Some((_, pages)) if pages.contains(link) => {}
                Some((_, pages)) => pages.push(link.clone()),
                None => groups.push((first.to_owned(), vec![link.clone()])),
            }
        }
        groups
    }

    /// One page of each group, then one of each template that none of them has.
    async fn of_each(&self, groups: &Groups, front: &Facts, deadline: Instant) -> Vec<String> {
        let limit = self.plan.sitemap_pages;
        let outright = limit - limit / 3;
        let mut chosen: Vec<String> = groups
            .iter()
            .filter_map(|(_, pages)| pages.first().cloned())
            .take(outright)
            .collect();
        let mut templates = BTreeSet::from([front.template.clone()]);
        for page in &chosen {
            if let Some(facts) = self.facts(page).await {
                templates.insert(facts.template);
            }
        }
        let mut tries = limit * TRIES;
        for page in spread(groups) {
            if chosen.len() >= limit || tries == 0 || Instant::now() >= deadline {
                break;
            }
            if chosen.contains(&page) {
                continue;
            }
            tries -= 1;
            if let Some(facts) = self.facts(&page).await
                && !facts.template.is_empty()
                && templates.insert(facts.template)
            {
                chosen.push(page);
            }
        }
        chosen
    }

    /// The pages of a shop, where there is one.
    async fn shop(&self, front: &Facts, index: &Rest, groups: &Groups) -> Vec<Chosen> {
        let sells = index
            .namespaces
            .iter()
            .any(|namespace| namespace == "wc" || namespace.starts_with("wc/"));
        let links = |path: &str| {
            let path = self.home.below(path);
            let bare = path.trim_end_matches('/');
            front
                .own_links
                .iter()
                .any(|link| link.trim_end_matches('/') == bare)
        };
        let mut pages = Vec::new();
        let product = self.product(front, groups, sells).await;
        for (page, kind, path) in SHOP {
            let told = front.shop.iter().find(|(known, _)| *known == page);
            if !sells && told.is_none() && !links(path) {
                continue;
            }
            let address = told.map_or_else(|| self.home.below(path), |(_, place)| place.clone());
            let first = product
                .as_ref()
                .filter(|_| kind != PageKind::Shop)
                .map(|product| self.home.below(&format!("/?add-to-cart={product}")));
            pages.push(Chosen {
                address,
                kind,
                first,
            });
        }
        pages
    }

    /// Something that can be put into the cart by a link.
    async fn product(&self, front: &Facts, groups: &Groups, sells: bool) -> Option<String> {
        let on = |facts: &Facts| facts.product.clone();
        if let Some(product) = on(front) {
            return Some(product);
        }
        if !sells {
            return None;
        }
        let product = groups.iter().find(|(group, _)| group == "product");
        let product = product.and_then(|(_, pages)| pages.first());
        let shop = self.home.below("/shop/");
        for page in std::iter::once(&shop).chain(product) {
            if let Some(product) = self.facts(page).await.as_ref().and_then(on) {
                return Some(product);
            }
        }
        None
    }
}

/// Pages of all groups in turn, from the whole length of each.
fn spread(groups: &Groups) -> Vec<String> {
    const POINTS: usize = 12;
    let mut pages = Vec::new();
    for point in 0..POINTS {
        for (_, all) in groups {
            // 0, 1/2, 1/4, 3/4…: the first few points lie far apart.
            let share =
                f64::from(u32::try_from(point).unwrap_or(0).reverse_bits()) / f64::from(u32::MAX);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a share of a length is within it"
            )]
            let at = (share * all.len() as f64) as usize;
            if let Some(page) = all.get(at.min(all.len().saturating_sub(1)))
                && !pages.contains(page)
            {
                pages.push(page.clone());
            }
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_tried_from_the_whole_length_of_each_group() {
        let pages = |name: &str| (0..100).map(|at| format!("/{name}/{at}")).collect();
        let groups = vec![
            ("post".to_owned(), pages("post")),
            ("page".to_owned(), pages("page")),
            ("none".to_owned(), Vec::new()),
            ("one".to_owned(), vec!["/one".to_owned()]),
        ];
        let spread = spread(&groups);
        assert_eq!(
            spread[..6],
            [
                "/post/0", "/page/0", "/one", "/post/50", "/page/50", "/post/25"
            ]
        );
        assert_eq!(spread.len(), 25);
    }
}
