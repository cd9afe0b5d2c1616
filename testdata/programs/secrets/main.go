// Holds secrets wherever a program holds them, and harmless texts whose names look like secrets'. It
// prints which is which (`secret.NAME`, `innocent.NAME` = text), and panics with one more. Each text
// is unlike all others, so that a search for its bytes proves that it did, or did not, get out.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"time"
)

var (
	never  chan int
	told   sync.Mutex
	hidden int
)

// secret makes the text of that name: not a constant, so that it lies nowhere but where it is put.
//
//go:noinline
func secret(name string) string {
	hidden++
	h := uint64(14695981039346656037)
	for _, c := range []byte(name) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
	text := make([]byte, 24)
	for i := range text {
		text[i] = letters[h%uint64(len(letters))]
		h = h*6364136223846793005 + 1442695040888963407
		h ^= h >> 29
	}
	tell("secret", name, string(text))
	return string(text)
}

// innocent makes a text that must stay, as its name is only like that of a secret.
//
//go:noinline
func innocent(name string) string {
	text := "harmless " + name + " text"
	tell("innocent", name, text)
	return text
}

func tell(kind, name, text string) {
	told.Lock()
	defer told.Unlock()
	line, _ := json.Marshal(text)
	fmt.Printf("%s.%s = %s\n", kind, strings.ReplaceAll(name, " ", "_"), line)
}

//go:noinline
func use(values ...interface{}) { runtime.KeepAlive(values) }

//go:noinline
func park() { <-never }

type (
	Password  string
	SecretKey []byte
	account   struct {
		User       string
		Password   string
		APIKey     []byte
		privateKey [24]byte
		Session    *session
	}
	session struct {
		ID           int
		AccessToken  string
		RefreshToken *string
		ClientSecret interface{}
	}
	database struct {
		Host   string
		Config struct{ Name, passwd string }
	}
	credential struct {
		name  string
		token string
	}
	loginError struct {
		user     string
		password string
	}
)

func (e *loginError) Error() string { return "login of " + e.user + " failed: password=" + e.password }

func holdVariables() {
	password, authToken, clientSecret := secret("variable.password"), []byte(secret("variable.token")), secret("variable.clientSecret")
	api_key, passwd, privateKey := secret("variable.apiKey"), secret("variable.passwd"), []rune(secret("variable.privateKey"))
	typed, key := Password(secret("type.password")), SecretKey(secret("type.key"))
	oldPassword := &password
	secretKey, _ := new(big.Int).SetString(digits(secret("variable.number")), 10)
	use(&authToken, &clientSecret, oldPassword)
	park()
	use(password, authToken, clientSecret, api_key, passwd, privateKey, typed, key, oldPassword, secretKey)
}

func digits(text string) string {
	number := new(big.Int).SetBytes([]byte(text)).String()
	tell("secret", "variable.digits", number)
	return number
}

func holdContents() {
	jwt := "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+secret("content.jwt")+`"}`)) +
		".c2lnbmF0dXJlLW9mLXRoaXMtdGV4dA"
	tell("secret", "content.claims", base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+secret("content.jwt")+`"}`)))
	head := "Authorization: Basic " + secret("content.basic") + "=="
	dsn := "postgres://app:" + secret("content.dsn") + "@db.internal:5432/shop?sslmode=disable"
	pem := "-----BEGIN RSA PRIVATE KEY-----\n" + secret("content.pem") + secret("content.pem2") + "\n-----END RSA PRIVATE KEY-----\n"
	words := []string{"first", "ghp_" + secret("content.github") + "012345678901", "last"}
	amazon := "uses AKIA" + strings.ToUpper(secret("content.amazon"))[:16] + " for uploads"
	tell("secret", "content.amazonkey", strings.ToUpper(secret("content.amazon"))[:16])
	raw := json.RawMessage(`{"user": "bob", "password": "` + secret("content.json") + `"}`)
	buffer := bytes.NewBufferString("POST /login\r\nCookie: session=" + secret("content.cookie") + "\r\n")
	builder := &strings.Builder{}
	builder.WriteString("token=" + secret("content.builder"))
	query := "https://example.com/cb?code=1&access_token=" + secret("content.query")
	failed := fmt.Errorf("retry: %w", errors.New("auth_token: "+secret("content.error")))
	park()
	use(jwt, head, dsn, pem, words, amazon, raw, buffer, builder, query, failed)
}

func holdFields() {
	refreshToken := secret("field.refresh")
	bob := account{User: innocent("user"), Password: secret("field.password"), APIKey: []byte(secret("field.apikey")),
		Session: &session{ID: 7, AccessToken: secret("field.access"), RefreshToken: &refreshToken, ClientSecret: secret("field.client")}}
	copy(bob.privateKey[:], secret("field.private"))
	store := &database{Host: innocent("host")}
	store.Config.Name, store.Config.passwd = innocent("config"), secret("field.passwd")
	list := []credential{{innocent("credential"), secret("field.token1")}, {"b", secret("field.token2")}}
	anything := interface{}(credential{"any", secret("field.token3")})
	park()
	use(bob, store, list, anything)
}

func holdMaps() {
	settings := map[string]string{"password": secret("map.password"), "key": innocent("mapkey"), "db_password": secret("map.dbpassword")}
	loose := map[string]interface{}{"api_key": secret("map.apikey"), "nested": map[string]interface{}{"secret": secret("map.nested")}}
	byToken := map[string]int{"eyJhbGciOiJub25lIn0." + secret("map.key") + ".c2lnbmF0dXJlLW9mLXRoaXMtdGV4dA": 1}
	header := http.Header{"Authorization": {"Bearer " + secret("map.bearer")}, "Accept": {innocent("accept")}, "X-Api-Key": {secret("map.header")},
		"Set-Cookie": {"sid=" + secret("map.cookie") + "; Path=/"}}
	form := url.Values{"client_secret": {secret("map.form")}, "page": {innocent("page")}}
	tokens := map[int]credential{1: {"one", secret("map.struct")}}
	park()
	use(settings, loose, byToken, header, form, tokens)
}

func holdWeb() {
	link, _ := url.Parse("https://bob:" + secret("web.userinfo") + "@example.com/path")
	request, _ := http.NewRequest("GET", "https://example.com/?api_key="+secret("web.query"), nil)
	request.Header.Set("Authorization", "Bearer "+secret("web.authorization"))
	request.AddCookie(&http.Cookie{Name: "session", Value: secret("web.cookie")})
	ctx := context.WithValue(context.Background(), "password", secret("web.context"))
	table := &sync.Map{}
	table.Store("auth_token", secret("web.syncmap"))
	park()
	use(link, request, ctx, table)
}

func holdChannels() {
	passwords := make(chan string, 2)
	passwords <- secret("channel.passwords")
	credentials := make(chan credential, 2)
	credentials <- credential{"c", secret("channel.field")}
	lines := make(chan []byte, 1)
	lines <- []byte("Authorization: Bearer " + secret("channel.content"))
	blocked := make(chan credential)
	start(func() { blocked <- credential{"d", secret("channel.sender")} })
	park()
	use(passwords, credentials, lines, blocked)
}

func holdClosure() {
	apiToken, user := secret("closure.captured"), innocent("captured")
	f := func() int { return len(apiToken) + len(user) }
	start(func() { park(); use(apiToken, user) })
	park()
	use(f)
}

//go:noinline
func login(user, password string, attempts int) {
	park()
	use(user, password, attempts)
}

//go:noinline
func setPassword(value string) {
	park()
	use(value)
}

// The words of these arguments are the secret itself.
//
//go:noinline
func authenticate(password [24]byte, secretWords [3]uint64) {
	park()
	use(password, secretWords)
}

func holdArguments() {
	start(func() { login(innocent("login"), secret("argument.password"), 3) })
	start(func() { setPassword(secret("argument.function")) })
	start(func() {
		var passwordBytes [24]byte
		var secretWords [3]uint64
		copy(passwordBytes[:], secret("argument.bytes"))
		for i, c := range []byte(secret("argument.words")) {
			secretWords[i/8] |= uint64(c) << (8 * (i % 8))
		}
		authenticate(passwordBytes, secretWords)
	})
	park()
}

func holdInnocents() {
	monkey, keyboard, tokenizer, turkey := innocent("monkey"), innocent("keyboard"), innocent("tokenizer"), innocent("turkey")
	secretary, author, passenger, compass := innocent("secretary"), innocent("author"), innocent("passenger"), innocent("compass")
	bypass, keynote, donkey, hotkey := innocent("bypass"), innocent("keynote"), innocent("donkey"), innocent("hotkey")
	authority, passive, cookiecutter, bearing := innocent("authority"), innocent("passive"), innocent("cookiecutter"), innocent("bearing")
	key, name, keys, id := innocent("key"), innocent("name"), []string{innocent("keys")}, innocent("id")
	tokenized, maxTokens, keyspace, sortKey := innocent("tokenized"), innocent("maxTokens"), innocent("keyspace"), innocent("sortKey")
	byName := map[string]string{"key": innocent("map key"), "primary_key": innocent("primary_key"), "monkey": innocent("map monkey"),
		"keyboard": innocent("map keyboard"), "foreign_key": innocent("foreign_key"), "tokens_used": innocent("tokens_used")}
	row := struct{ Key, Monkey, TokenCount, PassRate, Secretary string }{innocent("field key"), innocent("field monkey"),
		innocent("field count"), innocent("field rate"), innocent("field secretary")}
	text, link := innocent("the password policy is strict"), "https://example.com/"+strings.ReplaceAll(innocent("path"), " ", "-")+"/index.html"
	entry := struct{ K, V string }{"key", innocent("entry")}
	park()
	use(monkey, keyboard, tokenizer, turkey, secretary, author, passenger, compass, bypass, keynote, donkey, hotkey)
	use(authority, passive, cookiecutter, bearing, key, name, keys, id, tokenized, maxTokens, keyspace, sortKey, byName, row, text, link, entry)
}

var (
	gAPIToken  string
	gDatabase  database
	gInnocents map[string]string
)

func start(f func()) {
	go f()
	time.Sleep(20 * time.Millisecond)
}

func main() {
	args := os.Args
	gAPIToken, gDatabase.Config.passwd = secret("global.token"), secret("global.field")
	gInnocents = map[string]string{"key": innocent("global")}
	start(holdVariables)
	start(holdContents)
	start(holdFields)
	start(holdMaps)
	start(holdWeb)
	start(holdChannels)
	start(holdClosure)
	start(holdArguments)
	start(holdInnocents)
	labels := pprof.Labels("token", secret("label.token"), "request", "Authorization: Bearer "+secret("label.content"), "key", innocent("label"))
	start(func() { pprof.Do(context.Background(), labels, func(context.Context) { park() }) })
	defer use(args)
	panic(&loginError{innocent("panic"), secret("panic.password")})
}
