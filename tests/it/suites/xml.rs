//! XML 1.0 without DTDs, comments and CDATA: whatever else is not well-formed is an error.

use std::str::Chars;

pub struct Element {
    pub name: String,
    attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The root element of a document.
pub fn parse(text: &str) -> Result<Element, String> {
    if let Some(bad) = text.chars().find(|c| !is_character(*c)) {
        return Err(format!("{bad:?} cannot be in XML"));
    }
    let text = text.strip_prefix(r#"<?xml version="1.0" encoding="UTF-8"?>"#).ok_or("no head")?;
    let mut reader = Reader { rest: text.trim_start().chars() };
    reader.expect("<")?;
    let root = reader.element()?;
    match reader.rest.as_str().trim() {
        "" => Ok(root),
        rest => Err(format!("behind the root: {rest}")),
    }
}

fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

struct Reader<'t> {
    rest: Chars<'t>,
}

impl Reader<'_> {
    fn expect(&mut self, token: &str) -> Result<(), String> {
        let rest = self.rest.as_str();
        let behind = rest.strip_prefix(token).ok_or_else(|| format!("no {token} before {rest}"))?;
        self.rest = behind.chars();
        Ok(())
    }

    fn is_at(&self, token: &str) -> bool {
        self.rest.as_str().starts_with(token)
    }

    fn name(&mut self) -> Result<String, String> {
        let rest = self.rest.as_str();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        self.rest = behind.chars();
        if name.is_empty() { Err(format!("no name before {behind}")) } else { Ok(name.to_owned()) }
    }

    fn text_until(&mut self, end: char) -> Result<String, String> {
        let mut text = String::new();
        while !self.is_at(&end.to_string()) {
            match self.rest.next().ok_or("it ends in the midst of text")? {
                '<' => return Err("`<` in a value".to_owned()),
                '&' => text.push(self.entity()?),
                c => text.push(c),
            }
        }
        Ok(text)
    }

    fn entity(&mut self) -> Result<char, String> {
        let rest = self.rest.as_str();
        let (name, behind) = rest.split_once(';').ok_or("an entity without an end")?;
        self.rest = behind.chars();
        match name {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            name => {
                let number = name.strip_prefix('#').and_then(|number| number.parse().ok());
                let char = number.and_then(char::from_u32).filter(|c| is_character(*c));
                char.ok_or_else(|| format!("&{name}; is unknown"))
            }
        }
    }

    /// What follows `<`.
    fn element(&mut self) -> Result<Element, String> {
        let mut element = Element {
            name: self.name()?,
            attributes: Vec::new(),
            children: Vec::new(),
            text: String::new(),
        };
        while self.is_at(" ") {
            self.expect(" ")?;
            let name = self.name()?;
            self.expect("=\"")?;
            let value = self.text_until('"')?;
            self.expect("\"")?;
            if element.attribute(&name).is_some() {
                return Err(format!("{name} stands twice"));
            }
            element.attributes.push((name, value));
        }
        if self.is_at("/>") {
            self.expect("/>")?;
            return Ok(element);
        }
        self.expect(">")?;
        loop {
            element.text += &self.text_until('<')?;
            self.expect("<")?;
            if self.is_at("/") {
                self.expect(&format!("/{}>", element.name))?;
                return Ok(element);
            }
            element.children.push(self.element()?);
        }
    }
}
