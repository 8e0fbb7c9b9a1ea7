//! A site that exists only here: a few pages, files, and one hook to change any answer.

use async_trait::async_trait;
use pressroom_visitor::{
    Channel, Fetch, Fetched, Finding, Impression, Plan, Severity, Thresholds, Unreachable, Visitor,
    compare,
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

pub const HOME: &str = "https://shop.example/";

/// A request as the site sees it.
pub struct Ask {
    /// Without its query.
    pub path: String,
    pub query: String,
    pub is_uncached: bool,
    pub cookies: String,
    /// How many requests there were before it.
    pub nth: usize,
}

impl Ask {
    pub fn is_script(&self) -> bool {
        self.path.rsplit('.').next().is_some_and(|end| end == "php")
    }

    pub fn is_page(&self) -> bool {
        !self.path.contains('.') && !self.path.starts_with("/wp-")
    }
}

pub type Change = Arc<dyn Fn(&Ask, &mut Fetched) + Send + Sync>;

/// The site, with what was changed about it.
#[derive(Clone, Default)]
pub struct Site {
    changes: Vec<Change>,
    asked: Arc<AtomicUsize>,
}

impl Site {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn but(mut self, change: impl Fn(&Ask, &mut Fetched) + Send + Sync + 'static) -> Self {
        self.changes.push(Arc::new(change));
        self
    }

    /// A look at the pages of `before`, or at chosen ones, without pictures.
    pub async fn look(&self, before: Option<&Impression>) -> Impression {
        let mut plan = Plan::new(HOME.parse().unwrap());
        plan.pictures = false;
        plan.paths = vec!["/".into(), "/contact/".into()];
        if let Some(before) = before {
            plan = plan.again(before);
        }
        let visitor = Visitor::new(Arc::new(self.clone()), plan);
        let impression = visitor.look().await.impression;
        // What is kept is what is compared.
        serde_json::from_slice(&serde_json::to_vec(&impression).unwrap()).unwrap()
    }
}

/// What became worse from one site to another.
pub async fn found(before: &Site, after: &Site) -> Vec<Finding> {
    let then = before.look(None).await;
    let now = after.look(Some(&then)).await;
    compare(&then, &now, &Thresholds::default())
}

pub fn blocking(findings: &[Finding]) -> Vec<&Finding> {
    findings
        .iter()
        .filter(|found| found.severity == Severity::Blocking)
        .collect()
}

#[async_trait]
impl Channel for Site {
    async fn fetch(&self, request: Fetch) -> Result<Fetched, Unreachable> {
        let (path, query) = request
            .path_and_query
            .split_once('?')
            .unwrap_or((&request.path_and_query, ""));
        let cookies = request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        let ask = Ask {
            path: path.to_owned(),
            query: query.to_owned(),
            is_uncached: request.uncached,
            cookies: cookies.map(|(_, value)| value.clone()).unwrap_or_default(),
            nth: self.asked.fetch_add(1, Ordering::Relaxed),
        };
        let mut fetched = answer(&ask);
        for change in &self.changes {
            change(&ask, &mut fetched);
        }
        if fetched.status == 0 {
            return Err(Unreachable::NoAnswer("connection reset".into()));
        }
        if fetched.body.len() > request.limit {
            fetched.body.truncate(request.limit);
            fetched.cut = true;
        }
        Ok(fetched)
    }
}

pub fn html(status: u16, body: &str) -> Fetched {
    typed(status, "text/html; charset=UTF-8", body.as_bytes())
}

pub fn typed(status: u16, kind: &str, body: &[u8]) -> Fetched {
    Fetched {
        status,
        headers: vec![("Content-Type".into(), kind.into())],
        body: body.to_vec(),
        cut: false,
        ttfb_ms: 40,
        ms: 45,
    }
}

pub fn sent_to(place: &str) -> Fetched {
    let mut fetched = html(302, "");
    fetched.headers.push(("Location".into(), place.into()));
    fetched
}

/// Replaces text in a body, if it is there.
pub fn replace(fetched: &mut Fetched, what: &str, with: &str) {
    let text = String::from_utf8_lossy(&fetched.body).replace(what, with);
    fetched.body = text.into_bytes();
}

/// Adds to a body before a mark.
pub fn insert(fetched: &mut Fetched, mark: &str, text: &str) {
    replace(fetched, mark, &format!("{text}{mark}"));
}

pub const STYLE: &str = "body{font:16px/1.6 DejaVu Sans,sans-serif;margin:0;color:#222;background:#fff}\
    .site-header{background:#1d3557;color:#fff;padding:24px 48px}\
    .site-header a{color:#fff;margin-right:16px}\
    main{max-width:760px;margin:32px auto;padding:0 24px}\
    form label{display:block;margin:12px 0}\
    footer{background:#eee;padding:24px 48px;margin-top:48px}\
    .hero{height:220px;background:#e63946;color:#fff;padding:24px}";

const TEXT: &str = "The quick brown fox jumps over the lazy dog, and nobody in the village \
    had seen anything like it since the year the river froze over. They talked about it for \
    weeks, at the baker's and at the well, until the next thing happened.";

fn page(title: &str, class: &str, main: &str) -> Fetched {
    html(
        200,
        &format!(
            "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>{title}</title>\
             <link rel=stylesheet href=/wp-content/themes/t/style.css?ver=1.2>\
             <link rel=stylesheet href=/wp-content/plugins/p/p-1a2b3c4d.css>\
             <script src=/wp-includes/js/jquery.min.js?ver=3.7.1></script></head>\
             <body class='{class} logged-out'><header class=site-header><nav id=menu>\
             <a href=/>Home</a><a href=/hello/>Hello</a><a href=/about/>About</a>\
             <a href=/contact/>Contact</a><a href=/category/news/>News</a><a href=/shop/>Shop</a>\
             <a href=/cart/>Cart</a><a href=/author/ann/>Ann</a><a href=/feed/>Feed</a>\
             <a href=https://elsewhere.example/>Elsewhere</a></nav></header>\
             <main id=main><h1>{title}</h1>{main}<p>{TEXT}</p><p class=date>Monday</p>\
             <p class=more>{TEXT} {TEXT}</p>\
             <img src=/wp-content/uploads/a.png width=120 height=80></main>\
             <footer id=foot><p>All rights of the village reserved</p>\
             <form role=search action=/ method=get><input name=s><button>Search</button></form>\
             </footer><script>var nonce='1'</script></body></html>"
        ),
    )
}

fn answer(ask: &Ask) -> Fetched {
    let group = |name: &str, pages: &[&str]| {
        let urls: Vec<String> = pages
            .iter()
            .map(|page| format!("<url><loc>https://shop.example{page}</loc></url>"))
            .collect();
        let _ = name;
        typed(
            200,
            "application/xml",
            format!("<urlset>{}</urlset>", urls.concat()).as_bytes(),
        )
    };
    match ask.path.as_str() {
        "/" if ask.query.starts_with("s=") => page("Search", "search", "<p>Nothing found</p>"),
        "/" if ask.query.starts_with("rest_route=") => typed(200, "application/json", REST),
        "/" if ask.query.starts_with("feed=") => typed(200, "application/rss+xml", FEED),
        "/" if ask.query.starts_with("add-to-cart=") => {
            let mut page = page("The village shop", "home", "");
            page.headers
                .push(("Set-Cookie".into(), "cart=7; path=/".into()));
            page
        }
        "/" => page(
            "The village shop",
            "home blog",
            "<div class=hero id=hero><h2>Everything you need</h2></div>\
             <a class='button add_to_cart_button' href='/?add-to-cart=7'>Add to cart</a>",
        ),
        "/hello/" => page("Hello", "single single-post postid-1", "<h2>World</h2>"),
        "/second/" => page("Second", "single single-post postid-2", "<h2>World</h2>"),
        "/about/" => page(
            "About",
            "page page-id-2 page-template-default",
            "<h2>Us</h2>",
        ),
        "/landing/" => page(
            "Landing",
            "page page-id-9 page-template-landing",
            "<h2>Buy</h2>",
        ),
        "/category/news/" => page("News", "archive category", "<h2>Hello</h2>"),
        "/author/ann/" => page("Ann", "archive author", "<h2>Hello</h2>"),
        "/contact/" => page(
            "Contact",
            "page page-id-3",
            "<form id=contact action=/send method=post><input type=hidden name=_token value=1>\
             <label>Your address <input name=email></label><label>Text <textarea name=text></textarea></label>\
             <button type=submit class=send>Send it</button></form>",
        ),
        "/shop/" => page("Shop", "archive woocommerce", "<h2>Bread</h2>"),
        "/cart/" => page(
            "Cart",
            "page woocommerce-cart",
            "<a class='checkout-button button' href=/checkout/>Proceed to checkout</a>",
        ),
        "/checkout/" if ask.cookies.contains("cart=7") => page(
            "Checkout",
            "page woocommerce-checkout",
            "<form name=checkout class=checkout action=/checkout/ method=post>\
             <input name=billing_email><button type=submit name=woocommerce_checkout_place_order \
             id=place_order>Place order</button></form>",
        ),
        "/checkout/" => sent_to("/cart/"),
        "/wp-sitemap.xml" => {
            let parts: Vec<String> = ["posts-post", "posts-page", "taxonomies-category", "users"]
                .iter()
                .map(|part| {
                    format!(
                        "<sitemap><loc>https://shop.example/wp-sitemap-{part}-1.xml</loc></sitemap>"
                    )
                })
                .collect();
            typed(
                200,
                "application/xml",
                format!("<sitemapindex>{}</sitemapindex>", parts.concat()).as_bytes(),
            )
        }
        "/wp-sitemap-posts-post-1.xml" => group("post", &["/hello/", "/second/"]),
        "/wp-sitemap-posts-page-1.xml" => group(
            "page",
            &["/", "/about/", "/contact/", "/more/", "/landing/"],
        ),
        "/wp-sitemap-taxonomies-category-1.xml" => group("category", &["/category/news/"]),
        "/wp-sitemap-users-1.xml" => group("users", &["/author/ann/"]),
        "/wp-login.php" => html(
            200,
            "<!DOCTYPE html><html><head><title>Log in</title></head><body class=login>\
             <form name=loginform id=loginform action=/wp-login.php method=post>\
             <input name=log><input type=password name=pwd><input type=submit name=wp-submit value='Log in'>\
             </form></body></html>",
        ),
        "/wp-admin/" => sent_to("/wp-login.php?redirect_to=x&reauth=1"),
        "/wp-admin/admin-ajax.php" => html(400, "0"),
        "/wp-cron.php" => html(200, ""),
        "/wp-json/" => typed(200, "application/json", REST),
        "/feed/" => typed(200, "application/rss+xml", FEED),
        "/wp-content/themes/t/style.css" => typed(200, "text/css", STYLE.as_bytes()),
        "/wp-content/plugins/p/p-1a2b3c4d.css" => typed(
            200,
            "text/css",
            b".send{background:#2a9d8f;color:#fff;border:0;padding:8px 16px}",
        ),
        "/wp-includes/js/jquery.min.js" => typed(
            200,
            "text/javascript",
            b"window.jQuery=function(){return 1};",
        ),
        "/wp-content/uploads/a.png" => typed(200, "image/png", PNG),
        _ => {
            let mut page = page("Not found", "error404", "<p>There is nothing here</p>");
            page.status = 404;
            page
        }
    }
}

const REST: &[u8] =
    b"{\"namespaces\":[\"wp/v2\",\"wc/store/v1\",\"club/v1\"],\"routes\":{\"/\":{},\"/wp/v2/posts\":{},\
    \"/wc/store/v1/cart\":{},\"/club/v1/members\":{}}}";
const FEED: &[u8] =
    b"<?xml version=\"1.0\"?><rss><channel><title>x</title><item></item></channel></rss>";

/// One grey pixel.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 0x0a, b'I', b'D', b'A', b'T',
    0x78, 0x9c, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0, 0, 0, 0, b'I', b'E',
    b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];
