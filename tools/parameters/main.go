// Writes analyzer/values/parameters.def: which parameters the standard library's functions assign,
// and which named results they have not assigned yet while they call another function. All other
// parameters hold what they were called with for as long as the function runs.
//
// usage: go run tools/parameters/main.go GOROOT/src … > analyzer/values/parameters.def
//
// By the syntax alone, over all files, whatever they are built for, and over all releases together:
// a parameter that any of them assigns, declares again or takes the address of is one of the rows;
// a result is, with a callee's name, if in none of them anything before such a call, or in a loop
// around it, does so. What is called from deferred functions, go statements and literals is not.
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

// results are the named ones.
func results(f *ast.FuncDecl) map[string]bool {
	found := map[string]bool{}
	if f.Type.Results == nil {
		return found
	}
	for _, field := range f.Type.Results.List {
		for _, name := range field.Names {
			if name.Name != "_" {
				found[name.Name] = false
			}
		}
	}
	return found
}

type span struct{ from, to token.Pos }

// Conversions and what the compiler does itself stand in no stack.
var builtin = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`append cap clear close complex copy delete imag len make max min new panic
		print println real recover bool byte error int int8 int16 int32 int64 rune string uint uint8 uint16 uint32
		uint64 uintptr Pointer`) {
		builtin[name] = true
	}
}

// Of these packages the results are worth a row.
var connected = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`bufio crypto/tls database/sql internal/poll io net net/http net/http/internal
		net/http/internal/http2 net/rpc net/textproto os os/exec syscall`) {
		connected[name] = true
	}
}

// callee is the name that is called, without what stands before it.
func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// body is what a function does with its results, by position.
type body struct {
	loops, later []span
	assigned     map[string][]token.Pos // where an assignment takes effect
	calls        map[string][]token.Pos
	jumps        bool
}

func look(f *ast.FuncDecl) body {
	found := body{assigned: map[string][]token.Pos{}, calls: map[string][]token.Pos{}}
	known := results(f)
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			found.loops = append(found.loops, span{n.Pos(), n.End()})
		case *ast.FuncLit, *ast.DeferStmt, *ast.GoStmt:
			found.later = append(found.later, span{n.Pos(), n.End()})
		case *ast.BranchStmt:
			found.jumps = found.jumps || x.Tok == token.GOTO
		case *ast.CallExpr:
			found.calls[callee(x)] = append(found.calls[callee(x)], x.Pos())
		}
		for _, e := range changed(n) {
			name := assigned(e, known)
			if _, isRange := n.(*ast.RangeStmt); isRange {
				found.assigned[name] = append(found.assigned[name], n.Pos())
			} else {
				found.assigned[name] = append(found.assigned[name], n.End())
			}
		}
		return true
	})
	return found
}

func (b body) isZero(result string, call token.Pos) bool {
	for _, one := range b.later {
		if call >= one.from && call < one.to {
			return false
		}
	}
	for _, at := range b.assigned[result] {
		if at <= call {
			return false
		}
		for _, loop := range b.loops {
			if call >= loop.from && call < loop.to && at > loop.from && at <= loop.to {
				return false
			}
		}
	}
	return true
}

// unassigned notes for each result and callee whether it is zero whenever that is called.
func unassigned(f *ast.FuncDecl, function string, rows map[string]bool) {
	b := look(f)
	for name := range results(f) {
		for called, calls := range b.calls {
			zero := !b.jumps && called != "" && !builtin[called]
			for _, call := range calls {
				zero = zero && b.isZero(name, call)
			}
			row := function + " " + name + " " + called
			if was, ok := rows[row]; ok {
				zero = zero && was
			}
			rows[row] = zero
		}
	}
}

func scan(path, pkg string, rows, zero map[string]bool) error {
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
		if connected[pkg] {
			unassigned(f, pkg+"."+before+f.Name.Name, zero)
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
	rows, zero := map[string]bool{}, map[string]bool{}
	for _, root := range os.Args[1:] {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			pkg, _ := filepath.Rel(root, filepath.Dir(path))
			if err != nil || entry.IsDir() || !packages[pkg] || !strings.HasSuffix(path, ".go") ||
				strings.HasSuffix(path, "_test.go") {
				return err
			}
			return scan(path, pkg, rows, zero)
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	write("PACKAGE", packages)
	write("ASSIGNED", rows)
	write("ZERO", zero)
}

func write(macro string, names map[string]bool) {
	list := []string{}
	for name, is := range names {
		if !is {
			continue
		}
		list = append(list, name)
	}
	sort.Strings(list)
	for _, name := range list {
		fmt.Printf("%s(%q)\n", macro, name)
	}
}
