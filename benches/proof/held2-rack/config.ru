$LOAD_PATH.unshift File.expand_path("lib", __dir__)
require "shop/app"
use Rack::CommonLogger
run Shop::App.new
