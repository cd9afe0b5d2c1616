// Writes analyzer/values/parameters.def: which parameters the standard library's functions assign.
// All others hold what they were called with for as long as the function runs.
//
// usage: go run tools/parameters/main.go GOROOT/src … > analyzer/values/parameters.def
//
// By the syntax alone, over all files, whatever they are built for, and over all releases together:
// a parameter that any of them assigns, declares again or takes the address of is one of the rows.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Packages in which goroutines wait.
var packages = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`bufio bytes context crypto/tls database/sql encoding/json fmt internal/poll
		internal/singleflight internal/sync io io/fs io/ioutil log log/slog net net/http net/http/httputil
		net/http/internal net/http/internal/http2 net/rpc net/textproto os os/exec os/signal os/user strings sync
		syscall testing text/template time`) {
		packages[name] = true
	}
}

// prefix is what stands before the method's name: "(*T)." or "T."; false: of a generic type.
func prefix(f *ast.FuncDecl) (string, bool) {
	if f.Recv == nil {
		return "", f.Type.TypeParams == nil
	}
	of := f.Recv.List[0].Type
	star, isPointer := of.(*ast.StarExpr)
	if isPointer {
		of = star.X
	}
	name, ok := of.(*ast.Ident)
	if !ok {
		return "", false
	}
	if isPointer {
		return "(*" + name.Name + ").", true
	}
	return name.Name + ".", true
}

// parameters are those of a function by name; true: an element or a field of it is elsewhere.
func parameters(f *ast.FuncDecl) map[string]bool {
	found := map[string]bool{}
	lists := []*ast.FieldList{f.Type.Params}
	if f.Recv != nil {
		lists = append(lists, f.Recv)
	}
	for _, list := range lists {
		for _, field := range list.List {
			elsewhere := false
			switch of := field.Type.(type) {
			case *ast.StarExpr, *ast.MapType, *ast.Ellipsis:
				elsewhere = true
			case *ast.ArrayType:
				elsewhere = of.Len == nil
			}
			for _, name := range field.Names {
				found[name.Name] = elsewhere
			}
		}
	}
	return found
}

// assigned is the parameter that an assignment to e changes.
func assigned(e ast.Expr, known map[string]bool) string {
	isPart := false
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.SelectorExpr:
			e, isPart = x.X, true
		case *ast.IndexExpr:
			e, isPart = x.X, true
		case *ast.SliceExpr:
			e, isPart = x.X, true
		case *ast.Ident:
			if elsewhere, ok := known[x.Name]; ok && !(isPart && elsewhere) {
				return x.Name
			}
			return ""
		default:
			return ""
		}
	}
}

func changed(n ast.Node) []ast.Expr {
	switch x := n.(type) {
	case *ast.AssignStmt:
		return x.Lhs
	case *ast.IncDecStmt:
		return []ast.Expr{x.X}
	case *ast.RangeStmt:
		return []ast.Expr{x.Key, x.Value}
	case *ast.UnaryExpr:
		if x.Op == token.AND {
			return []ast.Expr{x.X}
		}
	}
	return nil
}

func scan(path, pkg string, rows map[string]bool) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return err
	}
	for _, one := range file.Decls {
		f, ok := one.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		before, ok := prefix(f)
		if !ok {
			continue
		}
		known := parameters(f)
		ast.Inspect(f.Body, func(n ast.Node) bool {
			for _, e := range changed(n) {
				if name := assigned(e, known); name != "" {
					rows[pkg+"."+before+f.Name.Name+" "+name] = true
				}
			}
			return true
		})
	}
	return nil
}

func main() {
	rows := map[string]bool{}
	for _, root := range os.Args[1:] {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			pkg, _ := filepath.Rel(root, filepath.Dir(path))
			if err != nil || entry.IsDir() || !packages[pkg] || !strings.HasSuffix(path, ".go") ||
				strings.HasSuffix(path, "_test.go") {
				return err
			}
			return scan(path, pkg, rows)
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	write("PACKAGE", packages)
	write("ASSIGNED", rows)
}

func write(macro string, names map[string]bool) {
	list := []string{}
	for name := range names {
		list = append(list, name)
	}
	sort.Strings(list)
	for _, name := range list {
		fmt.Printf("%s(%q)\n", macro, name)
	}
}
