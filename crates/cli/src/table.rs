//! Rows of text, for a person or for a script.

use comfy_table::{ContentArrangement, LineStyle, TableStyle};

/// A line below the heading and nothing else: what is copied out stays clean.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A heading and rows.
#[derive(Debug)]
pub struct Table {
    heading: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this heading and no row.
    pub const fn new(heading: &'static [&'static str]) -> Self {
        Self {
            heading,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push(cells.into_iter().map(|cell| plain(&cell)).collect());
    }

    /// For a terminal of this width with lines and a heading; for a pipe one row a
    /// line, tabs between, no heading, so that `cut` and `awk` can read it.
    pub fn render(&self, width: Option<u16>) -> String {
        let Some(width) = width else {
            let rows = self.rows.iter().map(|row| row.join("\t") + "\n");
            return rows.collect();
        };
        let mut table = comfy_table::Table::new();
        table
            .load_style(STYLE)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width)
            .set_header(self.heading.iter().copied())
            .add_rows(&self.rows);
        table.trim_fmt() + "\n"
    }
}

/// Sites choose titles and names of plugins: none of them may move the cursor, colour
/// the screen or start a new row.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn lines_in_a_pipe_and_a_table_on_a_terminal() {
        let mut table = Table::new(&["id", "name"]);
        table.row(["1".into(), "one\u{1b}[31m\tred".into()]);
        table.row(["2".into(), "two".into()]);
        assert_eq!(table.render(None), "1\tone [31m red\n2\ttwo\n");
        assert_snapshot!(table.render(Some(40)), @r"
         id   name
        ───────────────────
         1    one [31m red
         2    two
        ");
    }
}
