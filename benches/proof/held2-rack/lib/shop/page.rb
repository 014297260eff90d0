require "erubis"

module Shop
  class Page
    def render(things)
      Erubis::Eruby.new(File.read(File.expand_path("../../views/page.erb", __dir__))).result(things: things)
    end
  end
end
