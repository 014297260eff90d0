require "json"
require "rack"
require "sequel"

module Shop
  autoload :Page, "shop/page"
  DB = Sequel.sqlite

  class App
    def initialize
      DB.create_table(:things) { primary_key :id; String :name }
      DB[:things].insert(name: "lamp")
    end

    def call(env)
      request = Rack::Request.new(env)
      case request.path
      when "/" then answer(200, "up\n")
      when "/things" then answer(200, DB[:things].all.to_json)
      when "/page" then answer(200, Page.new.render(DB[:things].all))
      when "/time"
        require "time"
        require "bigdecimal"
        answer(200, "#{Time.parse('2020-01-01').iso8601} #{BigDecimal('1.1').to_s}\n")
      else answer(404, "absent\n")
      end
    end

    def answer(code, text)
      [code, { "content-type" => "text/plain" }, [text]]
    end
  end
end
