// Fills in what Go says about each input of src/lib/go-url.golden.json. To add a case, add {"input": "…"} to that file, then:
//
//	go run scripts/golden/go-url.go < src/lib/go-url.golden.json > new.json && mv new.json src/lib/go-url.golden.json
//	npx prettier --write src/lib/go-url.golden.json
package main

import (
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"strings"
)

type reading struct {
	Error    string `json:"error,omitempty"`
	Scheme   string `json:"scheme,omitempty"`
	Opaque   string `json:"opaque,omitempty"`
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
	Host     string `json:"host,omitempty"`
	Path     string `json:"path,omitempty"`
	Query    string `json:"query,omitempty"`
	Fragment string `json:"fragment,omitempty"`
	Text     string `json:"text"`
}

type golden struct {
	Input      string  `json:"input"`
	Parsed     reading `json:"parsed"`
	Requested  reading `json:"requested"`
	Normalized string  `json:"normalized"`
}

func read(u *url.URL, err error) reading {
	if err != nil {
		return reading{Error: err.Error()}
	}
	password, _ := u.User.Password()
	return reading{"", u.Scheme, u.Opaque, u.User.Username(), password, u.Host, u.Path, u.RawQuery, u.Fragment, u.String()}
}

var ssh = regexp.MustCompile(`^(ssh://)?([^/:]*?)@[^@]+$`)

func normalize(repository string) string {
	s := strings.ToLower(strings.TrimSpace(repository))
	if ssh.MatchString(s) && !strings.HasPrefix(s, "ssh://") {
		s = "ssh://" + strings.Replace(s, ":", "/", 1)
	}
	u, err := url.Parse(strings.TrimSuffix(s, ".git"))
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.String(), "ssh://")
}

func main() {
	var cases []golden
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	for i := range cases {
		c := &cases[i]
		c.Parsed, c.Requested, c.Normalized = read(url.Parse(c.Input)), read(url.ParseRequestURI(c.Input)), normalize(c.Input)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	if err := out.Encode(cases); err != nil {
		panic(err)
	}
}
