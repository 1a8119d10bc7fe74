package event

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

var schemaTypes = map[string]any{
	"event.json": &Event{}, "entry.json": &Entry{}, "customer.json": &Customer{}, "reject.json": &Reject{},
	"campaign_entry.json": &CampaignEntry{}, "campaign_message.json": &CampaignMessage{}, "segment.json": &SegmentRecord{},
}

func schemaOf(t *testing.T, v any) []byte {
	t.Helper()
	r := &jsonschema.Reflector{
		Anonymous:                 true,
		AllowAdditionalProperties: true, // readers ignore unknown fields
		ExpandedStruct:            true,
		Mapper: func(rt reflect.Type) *jsonschema.Schema {
			switch rt {
			case reflect.TypeFor[Time]():
				return &jsonschema.Schema{Type: "string", Pattern: `^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)?$`, Description: "UTC, milliseconds; empty: not set"}
			case reflect.TypeFor[Day]():
				return &jsonschema.Schema{Type: "string", Pattern: `^(\d{4}-\d\d-\d\d)?$`, Description: "calendar day in the program's zone; empty: not set"}
			case reflect.TypeFor[json.RawMessage]():
				return jsonschema.TrueSchema
			}
			return nil
		},
	}
	if err := r.AddGoComments("github.com/punchcard/punchcard/event", "."); err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(r.Reflect(v), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func TestSchemasAreMadeFromTheTypes(t *testing.T) {
	for name, v := range schemaTypes {
		got, path := schemaOf(t, v), filepath.Join("schema", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the types say (%v): run go test ./event -update", path, err)
		}
	}
}

func TestGoldenValuesFitTheSchemas(t *testing.T) {
	for _, c := range []struct{ schema, file string }{
		{"entry.json", "entry_full.json"}, {"entry.json", "entry_least.json"}, {"customer.json", "customer.json"},
		{"campaign_entry.json", "campaign_entry.json"}, {"campaign_message.json", "campaign_message.json"}, {"segment.json", "segment.json"},
	} {
		s, err := validator.NewCompiler().Compile(filepath.Join("schema", c.schema))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		v, err := validator.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s against %s: %v", c.file, c.schema, err)
		}
	}
}
