# A Rack application that makes garbage, or keeps the first rows of every request: a slice, which shares the array of all rows.
#   LEAK_BYTES=8192 puma --bind unix://SOCKET config.ru

leaked = Integer(ENV.fetch("LEAK_BYTES"))
kept = []

run lambda { |_env|
  rows = Array.new(400) { |i| { id: i, text: "row #{i}" * 8 } }
  kept << { body: "x" * leaked, tags: rows.first(4) } if leaked.positive?
  [200, { "content-type" => "text/plain" }, [rows.sum { |row| row[:text].size }.to_s]]
}
