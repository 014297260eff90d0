require "sinatra"

set :environment, :production

get "/" do
  "up\n"
end

get "/work" do
  require "json"
  require "digest"
  require "erb"
  require "csv"
  rows = CSV.parse("a,b\n1,2\n")
  ERB.new("<%= rows.to_json %> <%= Digest::SHA256.hexdigest('x') %>\n").result(binding)
end
