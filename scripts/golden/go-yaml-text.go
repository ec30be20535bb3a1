// Writes src/lib/go-yaml-text.golden.json: values, and how Go's yaml.v2 writes them. To add a case, add it here; then, in a
// module of its own that requires gopkg.in/yaml.v2 v2.4.0:
//
//	go run scripts/golden/go-yaml-text.go > src/lib/go-yaml-text.golden.json
//	npx prettier --write src/lib/go-yaml-text.golden.json
package main

import (
	"encoding/json"
	"os"
	"strings"

	"gopkg.in/yaml.v2"
)

type golden struct {
	Value interface{} `json:"value"`
	Text  string      `json:"text"`
}

// Each stands as a value, as a key and in a list.
var texts = []string{
	"", "app", "y", "Y", "yes", "YES", "yEs", "no", "n", "on", "off", "true", "True", "null", "~", "<<", "none", "nothing",
	"0", "012", "08", "0o17", "0x1F", "0x", "0b11", "0b12", "-0b11", "+1", "-1", "1_000", "_1", "1_", "1.5", "1.", ".5", "-.5", "+.5", "1e3", "1e999", ".5e3", "1.2.3",
	"18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "0xffffffffffffffff", "0x1ffffffffffffffff",
	"12345e67", "123e4567", "1234567", "12:30", "12:30:45", "1:2.5", "12:60", "190:20:30", ".inf", ".Inf", "-.inf", "+.inf", ".nan", ".NaN", ".", "..", "...", "---", "--", "-", "- a", "-a", "--- a",
	"2026-01-01", "2026-1-1", "2026-13-01", "2026-02-30", "2024-02-29", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2026-01-01t0:0:0+01:00", "2026-01-01 10:00:00", "2026-01-01 25:00:00", "2026-01", "2026-01-01T00:00:00",
	"?", "? a", "?a", ":", ": a", ":a", "a:", "a: b", "a:b", "a #b", "a#b", "#", "#a", ",", ",a", "a,b", "[a]", "{a}", "a]", "&a", "*a", "!a", "|", ">", "'", "'a'", "it's", "\"", "say \"so\"", "%a", "@a", "`a", "a`", "=", "a=b",
	" a", "a ", " ", "a  b", "\t", "a\tb", "a\rb", "\x00", "\x07\b\x0b\x0c\x1b\x7f", "é", "ü ß", "\u00a0", "a\u00a0b", "\u0085", "\ufeff", "\ufffd", "\ufffe", "😀", "a😀b", "\\", "a\\b", "'\t", "C:\\x", "漢字",
	"HEAD", "main", "release/1.2", "v1.2.3", "feature/a_b", "refs/heads/main", "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "https://github.com/org/repo.git?x=1&y=%20#z", "git@github.com:org/repo.git", "environments/overlays/prod", "./app", "../app", "/app", "PrunePropagationPolicy=background", "CreateNamespace=true",
	strings.Repeat("word ", 40) + "end", strings.Repeat("it's ", 40) + "end", strings.Repeat("#a b ", 30) + "end", strings.Repeat("a  b ", 30) + "end", "yes: " + strings.Repeat("two  spaces ", 20) + "end", "\t" + strings.Repeat("escaped \\ ", 25) + "end", "\t" + strings.Repeat("a  b   c ", 25) + "end", strings.Repeat("x", 100), strings.Repeat("x", 100) + " " + strings.Repeat("y", 100) + " z", strings.Repeat("é ", 60) + "e",
}

func main() {
	var all []golden
	add := func(value interface{}) {
		text, err := yaml.Marshal(value)
		if err != nil {
			panic(err)
		}
		all = append(all, golden{value, string(text)})
	}
	for _, text := range texts {
		add(map[string]interface{}{"key": text, "list": []string{text, "after"}})
		add(map[string]interface{}{"deep": map[string]interface{}{"map": []map[string]string{{"a": text}}}})
		if len(text) <= 128 && !strings.ContainsAny(text, "\r\u0085") { // a key of one line
			add(map[string]string{text: "value"})
		}
	}
	add(map[string]interface{}{})
	add([]string{})
	add(map[string]interface{}{"a": []string{}, "b": map[string]string{}, "c": nil, "d": true, "e": 7, "f": [][]string{{"a", "b"}, {}, {"c"}}})
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(all); err != nil {
		panic(err)
	}
}
