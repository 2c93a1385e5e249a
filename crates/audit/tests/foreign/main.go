// Checks a log with the code of Go's checksum database, none of which is ours.
//
// Usage: foreign KEY FOLDER PROOF...
// It checks the signature, the root over all tiles, every entry's inclusion, that each older size is a beginning of
// the log, and the proof files. It prints how many entries it found.
package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// folder reads tiles of height 8 at the paths of C2SP tlog-tiles, which leave the height away.
type folder string

func (f folder) Height() int                      { return 8 }
func (f folder) SaveTiles([]tlog.Tile, [][]byte)  {}
func (f folder) read(path string) ([]byte, error) { return os.ReadFile(filepath.Join(string(f), path)) }
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		bytes, err := f.read(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// tree opens a checkpoint: an origin, a size and a root, as in a checkpoint of the checksum database.
func tree(text []byte, key note.Verifier) tlog.Tree {
	opened, err := note.Open(text, note.VerifierList(key))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != key.Name() {
		log.Fatalf("not a checkpoint: %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: root}
}

func entries(f folder, size int64) [][]byte {
	var all [][]byte
	for first := int64(0); first < size; first += 256 {
		tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: int(min(256, size-first))}
		bytes, err := f.read(strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1))
		check(err)
		for len(bytes) > 0 {
			end := 2 + int(binary.BigEndian.Uint16(bytes))
			all = append(all, bytes[2:end])
			bytes = bytes[end:]
		}
	}
	return all
}

// proof checks a c2sp.org/tlog-proof@v1 file.
func proof(path string, key note.Verifier, all [][]byte) {
	text, err := os.ReadFile(path)
	check(err)
	head, checkpoint, _ := strings.Cut(string(text), "\n\n")
	tree := tree([]byte(checkpoint), key)
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") {
		log.Fatalf("not a proof: %q", head)
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check(err)
	var hashes tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		hashes = append(hashes, hash)
	}
	check(tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(all[index])))
}

func main() {
	key, err := note.NewVerifier(os.Args[1])
	check(err)
	f := folder(os.Args[2])
	text, err := f.read("checkpoint")
	check(err)
	tree := tree(text, key)
	hashes := tlog.TileHashReader(tree, f)
	root, err := tlog.TreeHash(tree.N, hashes)
	check(err)
	if root != tree.Hash {
		log.Fatalf("root %v, signed %v", root, tree.Hash)
	}
	all := entries(f, tree.N)
	if int64(len(all)) != tree.N {
		log.Fatalf("%d entries, signed %d", len(all), tree.N)
	}
	// Every entry of a small log, some two thousand of a large one.
	step := 1 + len(all)/2000
	for index := 0; index < len(all); index += step {
		entry := all[index]
		path, err := tlog.ProveRecord(tree.N, int64(index), hashes)
		check(err)
		check(tlog.CheckRecord(path, tree.N, tree.Hash, int64(index), tlog.RecordHash(entry)))
	}
	for old := int64(1); old < tree.N; old += 97 {
		path, err := tlog.ProveTree(tree.N, old, hashes)
		check(err)
		oldRoot, err := tlog.TreeHash(old, hashes)
		check(err)
		check(tlog.CheckTree(path, tree.N, tree.Hash, old, oldRoot))
	}
	for _, path := range os.Args[3:] {
		proof(path, key, all)
	}
	fmt.Println(len(all))
}
